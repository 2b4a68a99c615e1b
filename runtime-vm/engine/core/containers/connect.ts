import { EngineError } from "#base/errors.ts";
import type { EndpointSettings } from "#api/networks.ts";
import type { Container } from "./container.ts";
import type { Supervisor } from "./supervisor.ts";

/** Joins one more network. A running container has it at once; a stopped one from its next start, with the same checks. */
export async function connectNetwork(supervisor: Supervisor, container: Container, network: string, settings: EndpointSettings): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const { Name: name } = supervisor.backends.networks.inspect(network);
  const { run } = container;
  const mode = container.spec.hostConfig.NetworkMode ?? "";
  if (run !== undefined) run.sandbox = await supervisor.backends.sandboxes.connect(container.id, name, settings);
  else if (mode === "host" || mode.startsWith("container:")) {
    throw new EngineError("forbidden", "container sharing network namespace with another container or host cannot be connected to any other network");
  }
  // `none` means no network, until there is one.
  const { none: _none, ...others } = container.spec.endpoints;
  setEndpoints(supervisor, container, { ...others, [name]: settings });
}

/** Leaves a network, by the name or id it has; one that is gone is left by the name it had. */
export async function disconnectNetwork(supervisor: Supervisor, container: Container, network: string): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const name = Object.hasOwn(container.spec.endpoints, network) ? network : supervisor.backends.networks.inspect(network).Name;
  const { run } = container;
  if (run !== undefined) run.sandbox = await supervisor.backends.sandboxes.disconnect(container.id, name);
  else if (!Object.hasOwn(container.spec.endpoints, name)) {
    throw new EngineError("internal", `container ${container.id} is not connected to network ${name}`);
  }
  const { [name]: _left, ...others } = container.spec.endpoints;
  setEndpoints(supervisor, container, others);
}

/** The mode follows: a container whose first network is gone starts in the first of the others, or in none. */
function setEndpoints({ table }: Supervisor, container: Container, endpoints: Readonly<Record<string, EndpointSettings>>): void {
  const mode = container.spec.hostConfig.NetworkMode ?? "";
  const NetworkMode = Object.hasOwn(endpoints, mode) ? mode : (Object.keys(endpoints)[0] ?? "none");
  container.spec = { ...container.spec, endpoints, hostConfig: { ...container.spec.hostConfig, NetworkMode } };
  table.setSpec(container.id, container.name, container.spec);
}
