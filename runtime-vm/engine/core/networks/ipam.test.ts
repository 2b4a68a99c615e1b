import { expect, test } from "vitest";
import { prefixOf, prefixText } from "./address.ts";
import { choosePool, DEFAULT_POOLS, firstAddress, SubnetPool, uniqueLocalPrefix } from "./ipam.ts";

const used = (...texts: string[]) => texts.map(prefixOf);

test("new networks get dockerd's pools in dockerd's order", () => {
  const taken: ReturnType<typeof prefixOf>[] = [];
  const chosen: string[] = [];
  for (let i = 0; i < 31; i += 1) {
    const prefix = choosePool(4, DEFAULT_POOLS, taken);
    taken.push(prefix);
    chosen.push(prefixText(prefix));
  }
  expect(chosen.slice(0, 4)).toEqual(["172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16", "172.20.0.0/16"]);
  expect(chosen.slice(14, 18)).toEqual(["172.31.0.0/16", "192.168.0.0/20", "192.168.16.0/20", "192.168.32.0/20"]);
  expect(() => choosePool(4, DEFAULT_POOLS, taken)).toThrow("fully subnetted");
});

test("a pool that overlaps a route of the host is passed over", () => {
  expect(prefixText(choosePool(4, DEFAULT_POOLS, used("172.17.42.0/24", "172.18.0.0/15")))).toBe("172.20.0.0/16");
  expect(prefixText(choosePool(4, [{ base: "10.0.0.0/8", size: 24 }], used("10.0.0.0/9")))).toBe("10.128.0.0/24");
});

test("unique local prefixes are /64 out of fd00::/8", () => {
  expect(prefixText(uniqueLocalPrefix(Uint8Array.from([1, 2, 3, 4, 5, 6, 7])))).toBe("fd01:203:405:607::/64");
});

const pool = (subnet: string, more: { range?: string; gateway?: string; auxiliary?: string[] } = {}) =>
  new SubnetPool({
    subnet: prefixOf(subnet),
    ...(more.range === undefined ? {} : { range: prefixOf(more.range) }),
    gateway: more.gateway ?? firstAddress(prefixOf(subnet)),
    auxiliary: more.auxiliary ?? [],
  });

test("addresses are the lowest free ones, without network, broadcast, gateway and auxiliary ones", () => {
  const p = pool("10.0.0.0/29", { auxiliary: ["10.0.0.3"] });
  expect([p.take(), p.take(), p.take(), p.take()]).toEqual(["10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
  expect(() => p.take()).toThrow("no available IPv4 addresses");
  p.release("10.0.0.4");
  expect(p.take()).toBe("10.0.0.4");
});

test("an address asked for is given once and only inside the subnet", () => {
  const p = pool("10.0.0.0/24", { range: "10.0.0.128/25" });
  expect(p.take()).toBe("10.0.0.128");
  expect(p.take("10.0.0.9")).toBe("10.0.0.9");
  for (const taken of ["10.0.0.9", "10.0.0.1", "10.0.1.1"]) expect(() => p.take(taken)).toThrow("Address already in use");
});

test("the gateway's address is never released by an endpoint", () => {
  const p = pool("10.0.0.0/30");
  p.release("10.0.0.1");
  expect(p.take()).toBe("10.0.0.2");
});

test("an IPv6 subnet gives addresses after its gateway", () => {
  expect(pool("fd00:1::/64").take()).toBe("fd00:1::2");
});
