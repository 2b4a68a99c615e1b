import { expect, test } from "vitest";
import { Directory } from "./names.ts";
import { endpoint } from "./testing.ts";

const at = (address: string) => ({ address, length: 16, gateway: "172.18.0.1" });
const web = endpoint({ id: "1", dnsNames: ["web", "w", "aaaaaaaaaaaa"], ipv4: at("172.18.0.2") });
const web2 = endpoint({ id: "2", dnsNames: ["web2", "W"], ipv4: at("172.18.0.3"), ipv6: at("fd00::3") });
const other = endpoint({ id: "3", network: "m", networkName: "other", dnsNames: ["web"], ipv4: at("172.19.0.2") });

test("names, aliases and short ids resolve on the asker's networks only, an alias of several to all of them", () => {
  const directory = new Directory();
  for (const one of [web, web2, other]) directory.add(one);
  const ask = directory.lookup(() => [web2]);
  expect(ask.addresses("web")?.ipv4).toEqual(["172.18.0.2"]);
  expect(ask.addresses("aaaaaaaaaaaa")?.ipv4).toEqual(["172.18.0.2"]);
  expect(ask.addresses("w")).toEqual({ ipv4: ["172.18.0.2", "172.18.0.3"], ipv6: ["fd00::3"] });
  expect(ask.addresses("web.net")?.ipv4).toEqual(["172.18.0.2"]);
  expect(ask.addresses("web.other")).toBeUndefined();
  expect(ask.addresses("example.org")).toBeUndefined();
  expect(directory.lookup(() => [web, other]).addresses("web")?.ipv4).toEqual(["172.18.0.2"]);
  expect(directory.lookup(() => [other, web]).addresses("web")?.ipv4).toEqual(["172.19.0.2"]);
});

test("an address has the name of its container with its network", () => {
  const directory = new Directory();
  directory.add(web);
  expect(directory.lookup(() => [web]).pointer("172.18.0.2")).toBe("web.net");
  expect(directory.lookup(() => [web]).pointer("172.18.0.9")).toBeUndefined();
});

test("a name is gone with its endpoint", () => {
  const directory = new Directory();
  directory.add(web);
  directory.add(web2);
  directory.remove(web);
  expect(directory.lookup(() => [web2]).addresses("web")).toBeUndefined();
  expect(directory.lookup(() => [web2]).addresses("w")?.ipv4).toEqual(["172.18.0.3"]);
});

test("the default bridge has no names", () => {
  const directory = new Directory();
  const unnamed = endpoint({ named: false, ipv4: at("172.17.0.2") });
  directory.add(unnamed);
  expect(directory.lookup(() => [unnamed]).addresses("c")).toBeUndefined();
});

test("a link's alias is known to the endpoint that has it", () => {
  const directory = new Directory();
  const linked = endpoint({ id: "4", dnsNames: ["app"], links: [["web", "db"]] });
  directory.add(web);
  directory.add(linked);
  expect(directory.lookup(() => [linked]).addresses("db")?.ipv4).toEqual(["172.18.0.2"]);
  expect(directory.lookup(() => [web]).addresses("db")).toBeUndefined();
});

test("fixed names are known everywhere", () => {
  const directory = new Directory(new Map([["host.docker.internal", "10.0.2.2"]]));
  expect(directory.lookup(() => []).addresses("host.docker.internal")).toEqual({ ipv4: ["10.0.2.2"], ipv6: [] });
});
