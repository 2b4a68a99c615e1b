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
  [{ Name: "default" }, "forbidden", "operation is not permitted on predefined default network "],
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

test("a network between engines is a bridge with a number, in packets that leave room for the tunnel, and is not encrypted", () => {
  const between = (request: Partial<NetworkCreateRequest>) =>
    buildRecord({ Name: "n", Driver: "overlay", ...request }, context({ used: [prefixOf("10.0.0.0/24")], overlay: { vni: 4_097, mtu: 1_450 } }));
  const record = between({ Attachable: true });
  expect(record).toMatchObject({ overlay: { vni: 4_097 }, bridge: { mtu: 1_450 }, subnets: [{ subnet: "10.0.1.0/24", gateway: "10.0.1.1" }] });
  expect(inspectRecord(record, {})).toMatchObject({ Scope: "global", Driver: "overlay", Attachable: true });
  expect(bridgeOf(between({ Options: { "com.docker.network.driver.mtu": "1400" } }))?.mtu).toBe(1_400);
  expect(() => between({ Options: { encrypted: "" } })).toThrow("--opt encrypted: this engine does not encrypt what it sends between hosts: ");
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

const option = (name: string, value: string): Partial<NetworkCreateRequest> => ({ Options: { [`com.docker.network.${name}`]: value } });

// Answers of dockerd 28.5, but for its 500s, which are 400s here.
test.each<[Partial<NetworkCreateRequest>, string, string]>([
  [
    option("bridge.gateway_mode_ipv4", "bad"),
    "invalidArgument",
    "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: bad (unknown gateway mode bad)",
  ],
  [option("bridge.gateway_mode_ipv6", "isolated"), "invalidArgument", "gateway mode 'isolated' can only be used for an internal network"],
  [
    option("bridge.inhibit_ipv4", "x"),
    "invalidArgument",
    'failed to parse com.docker.network.bridge.inhibit_ipv4 value: x (strconv.ParseBool: parsing "x": invalid syntax)',
  ],
  [option("host_ipv4", "x"), "invalidArgument", "failed to parse com.docker.network.host_ipv4 value: x (nil ip)"],
  [option("host_ipv6", "10.0.0.1"), "invalidArgument", "it is not an IPv6 address"],
  [option("driver.mtu", "-1"), "invalidArgument", "invalid MTU number: -1"],
  [option("enable_ipv6", "x"), "invalidArgument", 'driver-opt "com.docker.network.enable_ipv6" is not a valid bool'],
  [option("enable_ipv4", "false"), "invalidArgument", "IPv4 or IPv6 must be enabled"],
  [{ IPAM: { Config: [{ Subnet: "10.9.0.0/24" }, { Subnet: "10.10.0.0/24" }] } }, "forbidden", "bridge driver doesn't support multiple subnets"],
  [{ IPAM: { Driver: "null" } }, "invalidArgument", "ipv4 pool is empty"],
  [subnet("0.0.0.0/0"), "invalidArgument", "ipv4 pool is empty"],
  [subnet("10.9.0.0/29", { Gateway: "10.9.0.7" }), "invalidArgument", "failed to allocate gateway (10.9.0.7): Address already in use"],
  [
    subnet("10.9.0.0/24", { AuxiliaryAddresses: { a: "10.9.0.1" } }),
    "invalidArgument",
    "failed to allocate secondary ip address (a:10.9.0.1): Address already in use",
  ],
  [{ EnableIPv6: true, ...subnet("fd00:1::/128") }, "invalidArgument", "failed to allocate gateway (): no available addresses on this pool"],
  [{ Driver: "macvlan", Options: { parent: "lo" } }, "invalidArgument", "loopback interface is not a valid macvlan parent link"],
  [
    { Driver: "macvlan", Options: { macvlan_mode: "bad" } },
    "invalidArgument",
    "requested macvlan mode 'bad' is not valid, 'bridge' mode is the macvlan driver default",
  ],
  [
    { Driver: "ipvlan", Options: { ipvlan_mode: "bad" } },
    "invalidArgument",
    "requested ipvlan mode 'bad' is not valid, 'l2' mode is the ipvlan driver default",
  ],
  [{ Driver: "ipvlan", Options: { ipvlan_flag: "bad" } }, "invalidArgument", "requested ipvlan flag 'bad' is not valid, 'bridge' is the ipvlan driver default"],
  [{ ConfigFrom: { Network: "x" } }, "notFound", 'configuration network "x" does not exist'],
  [
    { ConfigFrom: { Network: "x" }, Labels: { a: "b" } },
    "forbidden",
    "user specified configurations are not supported if the network depends on a configuration network",
  ],
  [
    { ConfigFrom: { Network: "x" }, Options: { a: "b" } },
    "forbidden",
    "network driver options are not supported if the network depends on a configuration network",
  ],
  [{ ConfigFrom: { Network: "x" }, ConfigOnly: true }, "forbidden", "a configuration network cannot depend on another configuration network"],
  [{ ConfigOnly: true, Internal: true }, "forbidden", "configuration network can only contain network specific fields"],
  [{ ConfigOnly: true, ...subnet("x") }, "invalidArgument", "invalid network config:\ninvalid subnet x: invalid CIDR block notation"],
])("%j is %s: %s", (request, cls, message) => {
  expect(() => build(request)).toThrow(expect.objectContaining({ class: cls, message: expect.stringContaining(message) as string }) as Error);
});

test("gateway modes, addresses and trusted interfaces reach the bridge", () => {
  const options = {
    "bridge.gateway_mode_ipv4": "routed",
    host_ipv6: "fd00::1",
    "bridge.trusted_host_interfaces": "eth1:eth2",
    "bridge.inhibit_ipv4": "true",
    "driver.mtu": "0",
  };
  const record = build({ Options: Object.fromEntries(Object.entries(options).map(([name, value]) => [`com.docker.network.${name}`, value])) });
  const bridge = bridgeOf(record);
  expect(bridge).toMatchObject({ modes: { 4: "routed", 6: "nat" }, hostAddresses: { 6: "fd00::1" }, trusted: ["eth1", "eth2"], mtu: 1500 });
  expect(bridge?.subnets[0]?.gateway).toBe("");
});

test("an isolated network has no gateway, so its first address is a container's", () => {
  const record = build({ Internal: true, ...option("bridge.gateway_mode_ipv4", "isolated") });
  expect(record.ipam.Config).toEqual([{ Subnet: "172.18.0.0/16" }]);
  expect(record.subnets[0]?.gateway).toBe("");
});

test("families may be said by options", () => {
  expect(build(option("enable_ipv6", "true"))).toMatchObject({ enableIPv4: true, enableIPv6: true });
});

test("a network on an interface of the machine keeps its gateway's address free, unless nothing is routed there", () => {
  const of = (driver: string, more: Partial<NetworkCreateRequest> = {}) => build({ Driver: driver, ...subnet("10.70.0.0/24"), ...more });
  expect(of("macvlan", { Options: { parent: "eth0" } })).toMatchObject({
    driver: "macvlan",
    internal: false,
    parent: { interface: "eth0", dummy: false, mode: "bridge" },
    subnets: [{ gateway: "10.70.0.1" }],
  });
  expect(of("macvlan", { Options: { parent: "eth0" }, Internal: true }).subnets[0]?.gateway).toBe("");
  expect(of("ipvlan", { Options: { parent: "eth0", ipvlan_mode: "l3" } }).subnets[0]?.gateway).toBe("");
  const alone = of("macvlan", {});
  expect(alone).toMatchObject({ internal: true, parent: { dummy: true, interface: `dm-${alone.id.slice(0, 12)}` } });
  expect(
    build({ Driver: "macvlan", Options: { parent: "eth0" }, IPAM: { Config: [{ Subnet: "10.1.0.0/24" }, { Subnet: "10.2.0.0/24" }] } }).subnets,
  ).toHaveLength(2);
});

test("a network takes its configuration from one that only holds it", () => {
  const held = build({ Name: "held", ConfigOnly: true, Labels: { l: "1" }, Options: { "com.docker.network.driver.mtu": "1300" }, ...subnet("10.8.0.0/24") });
  expect(inspectRecord(held, {})).toMatchObject({ ConfigOnly: true, Driver: "null", IPAM: { Config: [{ Subnet: "10.8.0.0/24" }] } });
  const taken = buildRecord({ Name: "n", ConfigFrom: { Network: "held" } }, context({ configuration: () => held }));
  expect(inspectRecord(taken, {})).toMatchObject({
    ConfigFrom: { Network: "held" },
    ConfigOnly: false,
    Driver: "bridge",
    Labels: { l: "1" },
    IPAM: { Config: [{ Subnet: "10.8.0.0/24" }] },
  });
  expect(bridgeOf(taken)?.mtu).toBe(1300);
});
