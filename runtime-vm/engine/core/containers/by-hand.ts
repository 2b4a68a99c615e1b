import { EngineError } from "#base/errors.ts";
import type { Container } from "./container.ts";
import { parseSignal } from "./signals.ts";
import { startContainer } from "./start.ts";
import { killContainer } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WaitCondition, WaitResult } from "./waiters.ts";

/** What somebody asks of one container, as against what its policy or the engine does with it. */

/** Class notModified when it runs already. What was to remove itself goes when it does not come up. */
export async function startByHand(supervisor: Supervisor, container: Container): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  if (container.removing) throw new EngineError("conflict", "container is marked for removal and cannot be started");
  if (container.state.kind === "running" && container.state.paused) throw new EngineError("conflict", "cannot start a paused container, try unpause instead");
  if (container.isRunning) throw new EngineError("notModified", `container ${container.id} runs already`);
  container.backoffMs = 0;
  container.restartCount = 0;
  try {
    await startContainer(supervisor, container);
  } catch (error) {
    if (container.spec.hostConfig.AutoRemove === true) removeLater(supervisor, container);
    throw error;
  }
}

/** After the lock is free. */
function removeLater(supervisor: Supervisor, container: Container): void {
  void supervisor
    .removeEnded(container)
    .catch((error: unknown) => supervisor.backends.journal.warn(`container ${container.id} could not be removed after its start failed`, error));
}

/** One signal; what cannot be done is told by the name that was asked for. */
export async function killByHand(supervisor: Supervisor, reference: string, signal: string): Promise<void> {
  try {
    const number = parseSignal(signal || "SIGKILL");
    await killContainer(supervisor, supervisor.catalog.get(reference), number);
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError(error.class, `cannot kill container: ${reference}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** What does not run has ended already. */
export function waitFor(container: Container, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
  if (condition !== "not-running" || container.isRunning) return container.exits.next(condition, signal);
  const { state } = container;
  const { exitCode, error } = state.kind === "created" ? state : state.kind === "exited" ? state.last : { exitCode: 0, error: "" };
  return Promise.resolve({ exitCode, ...(error === "" ? {} : { error }) });
}
