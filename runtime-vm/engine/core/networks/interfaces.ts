/** A sandbox's interfaces, made by the driver. */
import { bridgeOf, parentOf } from "./record.ts";
import { type EndpointRecord, gatewaysOf, linkOf, type SandboxRecord } from "./sandbox-record.ts";
import type { ServiceOptions } from "./services.ts";

type Made = Pick<ServiceOptions, "networks" | "driver">;

export function attach({ networks, driver }: Made, netns: string, endpoint: EndpointRecord): void {
  const { record } = networks.get(endpoint.network);
  const [bridge, parent] = [bridgeOf(record), parentOf(record)];
  if (bridge !== undefined) driver.attach(netns, bridge, linkOf(endpoint));
  if (parent !== undefined) driver.attachToParent(netns, parent, linkOf(endpoint));
}

export function setGateways({ driver }: Pick<Made, "driver">, record: SandboxRecord): void {
  const gateways = gatewaysOf(record);
  if (record.netns !== undefined && gateways.length > 0) driver.setGateways(record.netns, gateways);
}
