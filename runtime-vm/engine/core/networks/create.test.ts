import { expect, test } from "vitest";
import type { NetworkCreateRequest } from "#api/networks.ts";
import { prefixOf, prefixText } from "./address.ts";
import { buildRecord, type CreateContext } from "./create.ts";
import { DEFAULT_POOLS } from "./ipam.ts";
import { bridgeOf, inspectRecord, subnetsOf } from "./record.ts";

const context = (more: Partial<CreateContext> = {}): CreateContext => ({
  used: [prefixOf("172.17.0.0/16")],
  routed: [],
  pools: DEFAULT_POOLS,
  bridges: new Map([["br-five", "5".repeat(64)]]),
  ...more,
});
const build = (request: Partial<NetworkCreateRequest>) => buildRecord({ Name: "n", ...request }, context());
const subnet = (Subnet: string, more: object = {}) => ({ IPAM: { Config: [{ Subnet, ...more }] } });

// Answers of dockerd 28.5.
test.each<[Partial<NetworkCreateRequest>, string, string]>([
  [{ Name: " " }, "invalidArgument", "invalid name: name is empty"],
  [{ Name: "bridge" }, "forbidden", "operation is not permitted on predefined bridge network "],
  [{ Driver: "nope" }, "notFound", 'plugin "nope" not found'],
  [{ Driver: "host" }, "forbidden", 'only one instance of "host" network is allowed'],
  [{ Driver: "overlay" }, "forbidden", "This node is not a swarm manager"],
  [{ Scope: "swarm" }, "forbidden", "cannot create a swarm scoped network when swarm is not active"],
  [{ Ingress: true }, "forbidden", "Ingress network can only be global scope network"],
  [{ EnableIPv4: false }, "invalidArgument", "IPv4 or IPv6 must be enabled"],
  [{ IPAM: { Driver: "nope" } }, "notFound", 'plugin "nope" not found'],
  [subnet("172.17.0.0/24"), "forbidden", "invalid pool request: Pool overlaps with other one on this address space"],
  [subnet("10.9.0.0/33"), "invalidArgument", "invalid network config:\ninvalid subnet 10.9.0.0/33: invalid CIDR block notation"],
  [subnet("10.9.0.5/24"), "invalidArgument", "invalid network config:\ninvalid subnet 10.9.0.5/24: it should be 10.9.0.0/24"],
  [{ IPAM: { Config: [{}] } }, "invalidArgument", "invalid network config:\ninvalid subnet : invalid CIDR block notation"],
  [
    subnet("10.10.0.0/24", { Gateway: "10.11.0.1" }),
    "invalidArgument",
    "invalid network config:\ninvalid gateway 10.11.0.1: parent subnet 10.10.0.0/24 doesn't contain this address",
  ],
  [
    subnet("10.30.0.0/24", { AuxiliaryAddresses: { a: "10.31.0.1" }, Gateway: "10.31.0.1" }),
    "invalidArgument",
    "invalid network config:\n* invalid gateway 10.31.0.1: parent subnet 10.30.0.0/24 doesn't contain this address\n* invalid auxiliary address a: parent subnet 10.30.0.0/24 doesn't contain this address",
  ],
  [
    subnet("10.20.0.0/24", { IPRange: "10.21.0.0/25" }),
    "invalidArgument",
    "invalid network config:\ninvalid ip-range 10.21.0.0/25: parent subnet 10.20.0.0/24 doesn't contain ip-range",
  ],
  [{ Options: { "com.docker.network.bridge.enable_icc": "maybe" } }, "invalidArgument", 'value: maybe (strconv.ParseBool: parsing "maybe": invalid syntax)'],
  [{ Options: { "com.docker.network.driver.mtu": "x" } }, "invalidArgument", 'value: x (strconv.Atoi: parsing "x": invalid syntax)'],
  [{ Options: { "com.docker.network.bridge.name": "br-five" } }, "forbidden", "(br-five): networks have same bridge name"],
])("%j is refused", (request, cls, message) => {
  expect(() => build(request)).toThrow(expect.objectContaining({ class: cls, message: expect.stringContaining(message) as string }));
});

test("without a subnet the next free pool is taken, shown with its gateway", () => {
  const record = build({});
  expect(inspectRecord(record, {}).IPAM).toEqual({ Driver: "default", Options: null, Config: [{ Subnet: "172.18.0.0/16", Gateway: "172.18.0.1" }] });
  expect(record.ownSubnets).toBe(false);
});

test("a subnet of one's own is shown as asked, and works with the gateway we chose", () => {
  const record = build({ EnableIPv6: true, ...subnet("10.44.0.0/24", { IPRange: "10.44.0.128/25" }) });
  expect(record.ipam.Config?.[0]).toEqual({ Subnet: "10.44.0.0/24", IPRange: "10.44.0.128/25" });
  expect(subnetsOf(record)[0]?.gateway).toBe("10.44.0.128");
  expect(record.ipam.Config?.[1]?.Subnet).toMatch(/^fd[0-9a-f:]+\/64$/);
});

test("an IPv6 subnet is remembered but not used while IPv6 is off", () => {
  const record = build(subnet("fd00:1::/64"));
  expect(record.ipam.Config?.map(({ Subnet }) => Subnet)).toEqual(["fd00:1::/64", "172.18.0.0/16"]);
  expect(subnetsOf(record).map(({ subnet: used }) => prefixText(used))).toEqual(["172.18.0.0/16"]);
});

test("pools that the host routes are passed over, a subnet asked for is not", () => {
  const routed = [prefixOf("172.18.0.0/15")];
  expect(buildRecord({ Name: "n" }, context({ routed })).ipam.Config?.[0]?.Subnet).toBe("172.20.0.0/16");
  expect(buildRecord({ Name: "n", ...subnet("172.18.0.0/16") }, context({ routed })).ipam.Config?.[0]?.Subnet).toBe("172.18.0.0/16");
});

test("options shape the bridge", () => {
  const record = build({
    Internal: true,
    Options: { "com.docker.network.bridge.name": "mine", "com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.enable_icc": "0" },
  });
  expect(bridgeOf(record)).toMatchObject({ bridge: "mine", mtu: 1400, icc: false, internal: true, masquerade: true });
  expect(bridgeOf(build({}))?.bridge).toMatch(/^br-[0-9a-f]{12}$/);
});
