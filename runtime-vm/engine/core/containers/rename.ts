import { EngineError, messageOf } from "#base/errors.ts";
import type { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import { parseContainerName } from "./names.ts";
import type { Supervisor } from "./supervisor.ts";

/** Gives a container another name, known by it at once on its networks. */
export async function renameContainer(supervisor: Supervisor, container: Container, name: string): Promise<void> {
  const { backends, catalog, table } = supervisor;
  using _lock = await supervisor.locks.acquire(container.id);
  const oldName = container.name;
  const newName = checkedName(name);
  if (newName === oldName) throw new EngineError("invalidArgument", "Renaming a container with the same name as its current name");
  try {
    catalog.reserve(newName, container.id);
  } catch (error) {
    throw new EngineError("conflict", `Error when allocating new name: ${messageOf(error)}`, { cause: error });
  }
  table.setSpec(container.id, newName, container.spec);
  catalog.release(oldName, container.id);
  container.name = newName;
  backends.sandboxes.rename(container.id, newName);
  publishEvent(backends.events, container, "rename", { oldName: `/${oldName}` });
}

function checkedName(name: string): string {
  try {
    return parseContainerName(name);
  } catch {
    throw new EngineError(
      "invalidArgument",
      `Error when allocating new name: Invalid container name (/${name.replace(/^\//, "")}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
}
