import { expect, test } from "vitest";
import type { NetworkCreateRequest } from "#api/networks.ts";
import { prefixOf } from "./address.ts";
import { buildRecord } from "./create.ts";
import { DEFAULT_POOLS } from "./ipam.ts";
import type { JoinContext } from "./join.ts";
import { recordAgain } from "./kept.ts";

const context = (more: Partial<JoinContext> = {}): JoinContext => ({
  names: new Set(),
  used: [],
  routed: [],
  pools: DEFAULT_POOLS,
  bridges: new Map(),
  ...more,
});
const made = (request: Partial<NetworkCreateRequest> = {}) => buildRecord({ Name: "net", ...request }, context({ used: [prefixOf("172.17.0.0/16")] }));
const asked = (Subnet: string): Partial<NetworkCreateRequest> => ({ IPAM: { Config: [{ Subnet }] } });

test("a network comes back as it was where nothing of it is taken", () => {
  const record = made({ EnableIPv6: true });
  expect(recordAgain(record, context())).toEqual({ record, warnings: [] });
});

test("with its name taken it has another, and the same addresses", () => {
  const record = made();
  const names = new Set(["net", "net-2"]);
  expect(recordAgain(record, context({ names }))).toEqual({
    record: { ...record, name: "net-3" },
    warnings: ["the name net is taken by now: it is called net-3"],
  });
});

test.each([{ used: "172.18.0.0/16" }, { routed: "172.18.4.0/24" }])("a subnet that the pools chose, now in use (%j), is another, shown as such", (taken) => {
  const record = made({ EnableIPv6: true });
  const [, v6] = record.subnets;
  expect(record.subnets[0]).toMatchObject({ subnet: "172.18.0.0/16", gateway: "172.18.0.1" });
  const again = recordAgain(record, context(Object.fromEntries(Object.entries(taken).map(([by, subnet]) => [by, [prefixOf(subnet)]]))));
  expect(again.record.subnets).toEqual([{ subnet: "172.17.0.0/16", gateway: "172.17.0.1", auxiliary: [] }, v6]);
  expect(again.record.ipam.Config).toEqual([
    { Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" },
    { Subnet: v6?.subnet, Gateway: v6?.gateway },
  ]);
  expect(again.warnings).toEqual(["the subnet 172.18.0.0/16 is taken by now: it has 172.17.0.0/16"]);
});

test("a subnet that somebody chose comes back as it was or not at all", () => {
  const record = made(asked("10.1.0.0/24"));
  expect(recordAgain(record, context({ routed: [prefixOf("10.0.0.0/8")] }))).toEqual({ record, warnings: [] });
  expect(() => recordAgain(record, context({ used: [prefixOf("10.1.0.0/16")] }))).toThrow(
    "network net cannot be brought back: its subnet 10.1.0.0/24 overlaps with another network's by now",
  );
});

test("a bridge of a name that another network has now is a reason not to come back", () => {
  const record = made({ Options: { "com.docker.network.bridge.name": "br0" } });
  expect(() => recordAgain(record, context({ bridges: new Map([["br0", "1".repeat(64)]]) }))).toThrow(
    "network net cannot be brought back: its bridge br0 is another network's by now",
  );
});
