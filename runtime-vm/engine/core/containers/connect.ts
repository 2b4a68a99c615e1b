import { EngineError } from "#base/errors.ts";
import type { EndpointSettings } from "#api/networks.ts";
import type { Container } from "./container.ts";
import { filesAfterConnect, filesAfterDisconnect } from "./network-files.ts";
import type { Supervisor } from "./supervisor.ts";

/** Joins one more network. A running container has it at once; a stopped one from its next start, with the same checks. */
export async function connectNetwork(supervisor: Supervisor, container: Container, network: string, settings: EndpointSettings): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const { Name: name } = supervisor.backends.networks.inspect(network);
  const { run } = container;
  const mode = container.spec.hostConfig.NetworkMode ?? "";
  const refuse = (sentence: string): EngineError => new EngineError("invalidArgument", sentence);
  if (mode.startsWith("container:") || (mode === "host" && name !== "host")) {
    throw refuse("container sharing network namespace with another container or host cannot be connected to any other network");
  }
  if (Object.hasOwn(container.spec.endpoints, "none")) {
    throw refuse("container cannot be connected to multiple networks with one of the networks in private (none) mode");
  }
  const { endpoints } = container.spec;
  // First: who asks again after a crash in between is not told that it is connected, and asked for no more at the next start.
  setEndpoints(supervisor, container, { ...endpoints, [name]: settings });
  if (run === undefined) return;
  const before = run.sandbox;
  try {
    run.sandbox = await supervisor.backends.sandboxes.connect(container.id, name, settings);
  } catch (error) {
    setEndpoints(supervisor, container, endpoints);
    throw error;
  }
  filesAfterConnect(supervisor, container, { before, after: run.sandbox, network: name });
}

/** Leaves a network, by the name or id it has; one that is gone is left by the name it had. */
export async function disconnectNetwork(supervisor: Supervisor, container: Container, network: string): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const name = Object.hasOwn(container.spec.endpoints, network) ? network : supervisor.backends.networks.inspect(network).Name;
  const { run } = container;
  const joined = container.spec.hostConfig.NetworkMode?.startsWith("container:") === true;
  if (run !== undefined && !joined) {
    const left = run.sandbox.endpoints[name];
    const gone = Object.hasOwn(container.spec.endpoints, name);
    run.sandbox = await supervisor.backends.sandboxes.disconnect(container.id, name, { gone });
    filesAfterDisconnect(supervisor, container, left);
  } else if (!Object.hasOwn(container.spec.endpoints, name)) {
    throw new EngineError("internal", `container ${container.id} is not connected to the network ${name}`);
  }
  const { [name]: _left, ...others } = container.spec.endpoints;
  setEndpoints(supervisor, container, others);
}

/** The mode stays: a container without any network starts in the one it was made for. */
function setEndpoints({ table }: Supervisor, container: Container, endpoints: Readonly<Record<string, EndpointSettings>>): void {
  container.spec = { ...container.spec, endpoints };
  table.setSpec(container.id, container.name, container.spec);
}
