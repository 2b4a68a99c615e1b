import type { EndpointRecord } from "./sandbox-record.ts";

/** An endpoint record for tests, on network `n` unless said otherwise. */
export const endpoint = (more: Partial<EndpointRecord> = {}): EndpointRecord => ({
  id: "e".repeat(64),
  network: "n",
  networkName: "net",
  container: "c".repeat(64),
  containerName: "c",
  containerInterface: "eth0",
  hostInterface: "veth0",
  mac: "02:42:00:00:00:02",
  named: true,
  dnsNames: ["c"],
  links: [],
  settings: {},
  ...more,
});
