/** Resolvers of a container's own, as `--dns`, `--dns-search` and `--dns-option` name them. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import dns from "dns-packet";
import { expect, test } from "vitest";
import { frame, MessageReader } from "#plugins/names-dns/framing.ts";
import { addresses, ask, failure, inOwnNetwork, kernel, net, openOutside, request } from "./rig.ts";

inOwnNetwork();

/** Answers on port 53 of a namespace: a name that begins with `long` by TCP only. What was asked, and by which transport. */
async function openResolver(netns: string, address: string): Promise<AsyncDisposable & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const answer = (message: Uint8Array, transport: "udp" | "tcp"): Uint8Array => {
    const { id = 0, questions = [] } = dns.decode(Buffer.from(message));
    const [{ name, type } = { name: "", type: "A" }] = questions;
    asked.push(`${transport} ${type} ${name}`);
    if (transport === "udp" && name.startsWith("long")) return dns.encode({ type: "response", id, flags: dns.TRUNCATED_RESPONSE, questions });
    const data = type === "AAAA" ? "2001:db8::9" : "203.0.113.9";
    return dns.encode({ type: "response", id, questions, answers: [{ type: type as "A", name, data }] });
  };
  const bound = kernel.inNetns(netns, () => ({
    udp: kernel.boundSocket({ kind: "udp", address, port: 53 }).fd,
    tcp: kernel.boundSocket({ kind: "tcp", address, port: 53 }).fd,
  }));
  const udp = createSocket("udp4", (message, from) => udp.send(answer(message, "udp"), from.port, from.address));
  udp.bind({ fd: bound.udp });
  const tcp = createServer((client) => {
    const reader = new MessageReader();
    client.on("data", (chunk) => reader.push(chunk as Buffer).forEach((message) => client.end(frame(answer(message, "tcp")))));
  }).listen({ fd: bound.tcp });
  await once(tcp, "listening");
  return {
    asked,
    [Symbol.asyncDispose]: async () => {
      tcp.close();
      await new Promise<void>((closed) => udp.close(closed));
    },
  };
}

const servers = ["10.77.0.9", "10.77.0.2"]; // the first is nobody

test("a resolver of the container's own is asked past a silent one, for both families, and names of ours never", async () => {
  await using resolver = await openResolver(openOutside(), "10.77.0.2");
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n", dns: { servers, search: ["shop.test", "test"], options: ["ndots:3"] } }));
  expect(a.files.resolvConf).toContain("nameserver 127.0.0.11\nsearch shop.test test\noptions ndots:3\n");
  expect(addresses(await ask(a.netns, "db.shop.test"))).toEqual(["203.0.113.9"]);
  expect(addresses(await ask(a.netns, "db.shop.test", "AAAA"))).toEqual(["2001:db8::9"]);
  expect(addresses(await ask(a.netns, "a"))).toEqual(["172.18.0.2"]);
  expect(resolver.asked).toEqual(["udp A db.shop.test", "udp AAAA db.shop.test"]);
});

test("a cut answer comes as it is, so that the client asks again by TCP; another container is not served by this one's resolver", async () => {
  await using resolver = await openResolver(openOutside(), "10.77.0.2");
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n", dns: { servers: ["10.77.0.2"], search: [], options: [] } }));
  const b = await net.sandboxes.open(request("b", { mode: "n" }));
  expect((await ask(a.netns, "long.test")).flag_tc).toBe(true);
  expect(failure(await ask(b.netns, "other.test"))).toBe("SERVFAIL");
  expect(resolver.asked).toEqual(["udp A long.test"]);
});
