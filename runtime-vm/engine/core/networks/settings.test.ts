import { expect, test } from "vitest";
import type { EndpointSettings } from "#api/networks.ts";
import { prefixOf } from "./address.ts";
import { buildRecord } from "./create.ts";
import { DEFAULT_POOLS } from "./ipam.ts";
import type { SandboxRequest } from "./networks.ts";
import { defaultBridgeRecord } from "./predefined.ts";
import { checkEndpoint, checkEndpoints, checkRequest, networksOf, parseMode } from "./settings.ts";

const context = { used: [], routed: [], pools: DEFAULT_POOLS, bridges: new Map() };
const plain = buildRecord({ Name: "u1" }, context);
const own = buildRecord({ Name: "u2", IPAM: { Config: [{ Subnet: "10.44.0.0/24" }] } }, context);
const bridge = defaultBridgeRecord({ bip: "", mtu: 1500, pools: DEFAULT_POOLS, interface: "docker0", used: [prefixOf("10.0.0.0/8")] }, undefined);

const request = (more: Partial<SandboxRequest>): SandboxRequest => ({
  containerId: "c".repeat(64),
  containerName: "c",
  hostname: "c",
  mode: "bridge",
  endpoints: {},
  ports: {},
  publishAll: false,
  exposed: [],
  dns: { servers: [], search: [], options: [] },
  extraHosts: [],
  ...more,
});

// Answers of dockerd 28.5.
test("endpoint settings are refused in dockerd's words", () => {
  const of = (record: typeof plain, settings: EndpointSettings) => () => checkEndpoints({ [record.name]: settings }, () => record);
  const address = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });
  expect(of(plain, address("172.18.0.2"))).toThrow(
    "invalid config for network u1: invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets",
  );
  expect(of(plain, address("1.1"))).toThrow(
    "invalid endpoint settings:\n* invalid IPv4 address: 1.1\n* user specified IP address is supported only when connecting to networks with user configured subnets",
  );
  expect(of(bridge, address("172.17.0.9"))).toThrow(
    "endpoint settings:\n* user specified IP address is supported on user defined networks only\n* user specified IP address is supported only when connecting to networks with user configured subnets",
  );
  expect(of(bridge, { ...address("1.1"), Aliases: ["x"] })).toThrow(
    /defined networks only\n\* network-scoped alias .*\n\* invalid IPv4 address: 1\.1\n\* user specified IP address is supported only when connecting/,
  );
  expect(of(own, { IPAMConfig: { IPv6Address: "fd00::2" } })).toThrow("supported only when connecting to networks with user configured subnets");
  expect(of(own, { DriverOpts: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.eth0.x=1" } })).toThrow(
    "invalid endpoint settings:\nunrecognised network interface sysctl 'net.ipv4.conf.eth0.x=1'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V'",
  );
  expect(() => checkEndpoint(plain, { MacAddress: "zz" })).toThrow(/^invalid MAC address zz$/);
  expect(of(own, address("10.0.0.9"))).toThrow("invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.0.0.9");
  expect(of(bridge, { Aliases: ["x"] })).toThrow("network-scoped alias is supported only for containers in user defined networks");
  expect(of(plain, { MacAddress: "zz" })).toThrow("invalid config for network u1: invalid MAC address zz");
  expect(of(own, { ...address("10.44.0.9"), MacAddress: "02:42:0A:2C:00:33", Aliases: ["x"] })).not.toThrow();
});

test("every network of a request is told what is wrong with it, those that are not there included", () => {
  const of = (asked: Parameters<typeof checkEndpoints>[0]) => () => checkEndpoints(asked, (name) => (name === "bridge" ? bridge : undefined));
  expect(of({ default: null })).toThrow(/^invalid config for network bridge: EndpointsConfig is nil$/);
  expect(of({ n: { MacAddress: "zz" }, bridge: { IPAMConfig: { IPv6Address: "1.1" } } })).toThrow(
    "* invalid config for network bridge: invalid endpoint settings:\n\t* user specified IP address is supported on user defined networks only\n\t* invalid IPv6 address: 1.1\n\t* user specified IP address is supported only when connecting to networks with user configured subnets\n* invalid config for network n: invalid MAC address zz",
  );
  expect(of({ n: { IPAMConfig: { IPv4Address: "1.1" }, Aliases: ["x"] } })).toThrow(
    /^invalid config for network n: invalid endpoint settings:\ninvalid IPv4 address: 1\.1$/,
  );
  expect(of({ n: { IPAMConfig: { IPv4Address: "10.1.1.1" }, Aliases: ["x"] }, bridge: {} })).not.toThrow();
});

test("requests that contradict themselves are refused", () => {
  const ports = { "80/tcp": [{ HostIp: "", HostPort: "9000" }] };
  expect(() => checkRequest(request({ mode: "container:x", ports }))).toThrow("conflicting options: port publishing and the container type network mode");
  expect(() => checkRequest(request({ extraHosts: ["zz"] }))).toThrow('bad format for add-host: "zz"');
  expect(() => checkRequest(request({ extraHosts: ["a:nonsense"] }))).toThrow("invalid IP address in add-host");
  expect(() => checkRequest(request({ dns: { servers: ["zz"], search: [], options: [] } }))).toThrow("bad nameserver address zz");
  expect(() => checkRequest(request({ mode: "host", endpoints: { u2: {} } }))).toThrow("conflicting options");
  expect(() => checkRequest(request({ extraHosts: ["a:1.2.3.4", "b=host-gateway", "c:[::1]"], ports }))).not.toThrow();
});

test("endpoint settings say which networks are joined, the mode which is first", () => {
  expect(networksOf({ mode: "default", endpoints: {} })).toEqual(["bridge"]);
  expect(networksOf({ mode: "u2", endpoints: { a: {}, u2: {}, z: {} } })).toEqual(["u2", "a", "z"]);
  expect(networksOf({ mode: "u1", endpoints: { u2: {} } })).toEqual(["u2"]);
  expect(networksOf({ mode: "container:x", endpoints: {} })).toEqual([]);
  expect(parseMode("container:x")).toEqual({ kind: "container", id: "x" });
});
