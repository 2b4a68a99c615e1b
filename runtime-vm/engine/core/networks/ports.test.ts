import { expect, test } from "vitest";
import { parseHostPorts, parsePort, PortAllocations, portMap, portsAfter, publications } from "./ports.ts";

test.each([
  ["80", { port: 80, proto: "tcp" }],
  ["53/udp", { port: 53, proto: "udp" }],
])("%s is a container port", (text, port) => {
  expect(parsePort(text)).toEqual(port);
});

test.each(["x", "80/foo", "99999", "80/tcp/x", "", "-1"])("%j is refused in dockerd's words", (text) => {
  expect(() => parsePort(text)).toThrow(`invalid port specification: ${JSON.stringify(text)}`);
});

test("host ports are one, a range, or any", () => {
  expect(parseHostPorts("")).toBe("any");
  expect(parseHostPorts("0")).toBe("any");
  expect(parseHostPorts("9000-9005")).toEqual({ first: 9000, last: 9005 });
  for (const text of ["abc", "99999", "9-8", "1-2-3"]) expect(() => parseHostPorts(text)).toThrow("invalid port specification");
});

test("an empty HostIp means every address of both families, or the network's own default", () => {
  const ports = { "80/tcp": [{ HostIp: "", HostPort: "8080" }] };
  expect(publications(ports, [], false, "")[0]?.hostIps).toEqual(["0.0.0.0", "::"]);
  expect(publications(ports, [], false, "127.0.0.1")[0]?.hostIps).toEqual(["127.0.0.1"]);
  expect(() => publications({ "80/tcp": [{ HostIp: "zz", HostPort: "" }] }, [], false, "")).toThrow('host IP "zz"');
});

test("publish-all covers exposed ports that have no binding of their own", () => {
  const all = publications({ "80/tcp": [{ HostIp: "", HostPort: "8080" }], "81/tcp": null }, ["80/tcp", "81/tcp", "90/udp"], true, "");
  expect(all.map(({ key, hostPorts }) => [key, hostPorts])).toEqual([
    ["80/tcp", { first: 8080, last: 8080 }],
    ["81/tcp", "any"],
    ["90/udp", "any"],
  ]);
});

test("inspect shows exposed ports without publication as null", () => {
  expect(portMap(["90/tcp", "80"], [{ key: "80/tcp", hostIp: "0.0.0.0", hostPort: 1 }])).toEqual({
    "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "1" }],
    "90/tcp": null,
  });
});

test("a port is held once per address, and an unspecified address covers its family", () => {
  const allocations = new PortAllocations();
  const first = allocations.hold("tcp", ["0.0.0.0", "::"], 8080, "container web");
  expect(() => allocations.hold("tcp", ["0.0.0.0", "::"], 8080, "container web")).toThrow(
    "Bind for :::8080 failed: port is already allocated by container web",
  );
  expect(() => allocations.hold("tcp", ["127.0.0.1"], 8080, "container web")).toThrow(
    "Bind for 0.0.0.0:8080 failed: port is already allocated by container web",
  );
  allocations.hold("udp", ["0.0.0.0"], 8080, "container web");
  allocations.hold("tcp", ["127.0.0.1"], 8081, "container web");
  allocations.hold("tcp", ["127.0.0.2"], 8081, "container web");
  first[Symbol.dispose]();
  allocations.hold("tcp", ["127.0.0.1"], 8080, "container web");
});

test("ephemeral ports go round", () => {
  const allocations = new PortAllocations();
  const [a, b] = allocations.ephemeral();
  expect([a, b]).toEqual([32_768, 32_769]);
  expect(allocations.ephemeral().next().value).toBe(32_770);
});

test("what a container asks for after a change is what is published of the changed ports, and the rest as it was", () => {
  const bound = [{ HostIp: "127.0.0.1", HostPort: "32768" }];
  const asked = { "80": [{ HostIp: "", HostPort: "" }], "53/udp": [{ HostIp: "", HostPort: "" }] };
  const change = { add: { "81": [{ HostIp: "", HostPort: "" }] }, remove: { "80/tcp": null } };
  expect(portsAfter(asked, change, { "80/tcp": null, "81/tcp": bound })).toEqual({ "53/udp": [{ HostIp: "", HostPort: "" }], "81/tcp": bound });
});
