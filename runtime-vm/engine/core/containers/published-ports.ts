import { isDeepStrictEqual } from "node:util";
import { EngineError } from "#base/errors.ts";
import type { PortMap } from "#api/networks.ts";
import type { Sandbox } from "../networks/networks.ts";
import { canonicalPort, type PortChange } from "../networks/ports.ts";
import type { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import type { Supervisor } from "./supervisor.ts";

/**
 * Publishes ports of a running container and takes others back, without a restart. What is published then is what later starts
 * publish: a port that was given is kept. Resolves with the ports as inspect shows them.
 */
export async function changePorts(supervisor: Supervisor, container: Container, change: PortChange): Promise<PortMap> {
  using _lock = await supervisor.locks.acquire(container.id);
  for (const key of [...Object.keys(change.add), ...Object.keys(change.remove)]) canonicalPort(key);
  const { run } = container;
  if (run === undefined) throw new EngineError("conflict", `container ${container.name} is not running: its ports are published when it starts`);
  if (container.spec.hostConfig.NetworkMode?.startsWith("container:") === true) {
    throw new EngineError("invalidArgument", `container ${container.name} has the network of another container: publish the port there`);
  }
  run.sandbox = await supervisor.backends.sandboxes.republish(container.id, change);
  keepAsked(supervisor, container, run.sandbox);
  publishEvent(supervisor.backends.events, container, "update");
  return run.sandbox.ports;
}

/** Writes down what later starts publish, which an engine that was killed in a change may not have come to. */
export function keepAsked({ table }: Supervisor, container: Container, { asked }: Sandbox): void {
  const { hostConfig } = container.spec;
  if (asked === undefined || isDeepStrictEqual(asked, hostConfig.PortBindings ?? {})) return;
  container.spec = { ...container.spec, hostConfig: { ...hostConfig, PortBindings: asked } };
  table.setSpec(container.id, container.name, container.spec);
}
