import type { EventLog } from "../events/events.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { Container } from "./container.ts";

/** Tells what happened to a container; its labels, image and name go along as dockerd sends them. */
export function publishEvent(events: EventLog, container: Container, action: string, more: Readonly<Record<string, string>> = {}): void {
  const { Labels, Image } = container.spec.config;
  events.publish({ type: "container", action, id: container.id, attributes: { ...Labels, image: Image, name: container.name, ...more } });
}

/** One event a network of the sandbox. */
export function publishNetworkEvents(events: EventLog, container: Container, sandbox: Sandbox, action: "connect" | "disconnect"): void {
  for (const [name, endpoint] of Object.entries(sandbox.endpoints)) {
    if (endpoint.NetworkID === undefined || endpoint.NetworkID === "") continue;
    const type = name === "host" || name === "none" ? (name === "none" ? "null" : "host") : "bridge";
    events.publish({ type: "network", action, id: endpoint.NetworkID, attributes: { container: container.id, name, type } });
  }
}
