import type { EventLog } from "../events/events.ts";
import { isClass } from "#base/errors.ts";
import type { NetworkStore, Sandbox } from "../networks/networks.ts";
import type { Container } from "./container.ts";

/** Tells what happened to a container; its labels, image and name go along as dockerd sends them. */
export function publishEvent(events: EventLog, container: Container, action: string, more: Readonly<Record<string, string>> = {}): void {
  const { Labels, Image } = container.spec.config;
  events.publish({ type: "container", action, id: container.id, attributes: { ...Labels, image: Image, name: container.name, ...more } });
}

/** What an exec runs, as its events tell it: the program, then its arguments. */
export const execAction = (what: "exec_create" | "exec_start", [program = "", ...args]: readonly string[]): string => `${what}: ${program} ${args.join(" ")}`;

/** One event a volume, as the container starts to use it or no longer does. */
export function publishVolumeEvents(events: EventLog, container: Container, action: "mount" | "unmount"): void {
  for (const { volume, destination, readOnly, propagation } of container.spec.mounts) {
    if (volume === undefined) continue;
    const how = action === "mount" ? { destination, propagation, "read/write": String(!readOnly) } : {};
    events.publish({ type: "volume", action, id: volume.name, attributes: { container: container.id, driver: volume.driver, ...how } });
  }
}

/** One event a network of the sandbox. */
export function publishNetworkEvents(
  { events, networks }: { readonly events: EventLog; readonly networks: Pick<NetworkStore, "inspect"> },
  container: Container,
  sandbox: Sandbox,
  action: "connect" | "disconnect",
): void {
  for (const [name, endpoint] of Object.entries(sandbox.endpoints)) {
    if (endpoint.NetworkID === undefined || endpoint.NetworkID === "") continue;
    const type = driverOf(networks, endpoint.NetworkID);
    events.publish({ type: "network", action, id: endpoint.NetworkID, attributes: { container: container.id, name, type } });
  }
}

/** Of a network that may be gone by now. */
function driverOf(networks: Pick<NetworkStore, "inspect">, id: string): string {
  try {
    return networks.inspect(id).Driver;
  } catch (error) {
    if (isClass(error, "notFound")) return "bridge";
    throw error;
  }
}
