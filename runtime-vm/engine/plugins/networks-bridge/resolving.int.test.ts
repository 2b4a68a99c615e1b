import { createSocket } from "node:dgram";
import { once } from "node:events";
import dns from "dns-packet";
import { expect, test } from "vitest";
import { addresses, ask, failure, id, kernel, net, request, upstreams, inOwnNetwork } from "./rig.ts";

inOwnNetwork();

test("names of the same network resolve, others are asked of the upstream resolver, and nobody there fails fast", async () => {
  const upstream = createSocket("udp4", (message, from) => {
    const query = dns.decode(message);
    upstream.send(
      dns.encode({ ...query, type: "response", answers: [{ type: "A", name: query.questions?.[0]?.name ?? "", data: "203.0.113.9" }] }),
      from.port,
      from.address,
    );
  });
  upstream.bind(5353, "127.0.0.1");
  await once(upstream, "listening");
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n", endpoints: { n: { Aliases: ["web"] } } }));
  const b = await net.sandboxes.open(request("b", { mode: "n", endpoints: { n: { Aliases: ["web"] } } }));
  expect(a.files.resolvConf).toContain("nameserver 127.0.0.11\noptions ndots:0\n");
  expect(addresses(await ask(b.netns, "a"))).toEqual(["172.18.0.2"]);
  expect(addresses(await ask(a.netns, "b.n"))).toEqual(["172.18.0.3"]);
  expect(addresses(await ask(a.netns, "web")).toSorted()).toEqual(["172.18.0.2", "172.18.0.3"]);
  expect(addresses(await ask(a.netns, id("b").slice(0, 12)))).toEqual(["172.18.0.3"]);
  expect(addresses(await ask(a.netns, "3.0.18.172.in-addr.arpa", "PTR"))).toEqual(["b.n"]);
  expect(failure(await ask(a.netns, "example.org"))).toBe("SERVFAIL");
  upstreams.push("127.0.0.1");
  expect(addresses(await ask(a.netns, "example.org"))).toEqual(["203.0.113.9"]);
  await new Promise<void>((resolve) => upstream.close(() => resolve()));
  expect(failure(await ask(a.netns, "example.org"))).toBe("SERVFAIL");
  net.sandboxes.rename(id("b"), "bee");
  expect(addresses(await ask(a.netns, "bee"))).toEqual(["172.18.0.3"]);
});

test("without a way out nothing is asked outside, but of a resolver on the container's own network", async () => {
  const heard: string[] = [];
  const answering = (socket: ReturnType<typeof createSocket>, data: string) =>
    socket.on("message", (message, from) => {
      const query = dns.decode(message);
      heard.push(query.questions?.[0]?.name ?? "");
      socket.send(dns.encode({ ...query, type: "response", answers: [{ type: "A", name: heard.at(-1) ?? "", data }] }), from.port, from.address);
    });
  const outside = answering(createSocket("udp4"), "203.0.113.9");
  outside.bind(5353, "127.0.0.1");
  await once(outside, "listening");
  upstreams.push("127.0.0.1");
  await net.networks.create({ Name: "in", Internal: true });
  await net.networks.create({ Name: "out" });
  const a = await net.sandboxes.open(request("a", { mode: "in" }));
  const b = await net.sandboxes.open(request("b", { mode: "in", dns: { servers: ["172.18.0.2", "192.0.2.1"], search: [], options: [] } }));
  expect(failure(await ask(a.netns, "secret.example.org"))).toBe("SERVFAIL");
  const near = answering(createSocket("udp4"), "203.0.113.8");
  near.bind({ fd: kernel.inNetns(a.netns ?? "", () => kernel.boundSocket({ kind: "udp", address: "0.0.0.0", port: 53 })).fd });
  expect(addresses(await ask(b.netns, "near.example.org"))).toEqual(["203.0.113.8"]);
  await net.sandboxes.connect(id("a"), "out", {});
  expect(addresses(await ask(a.netns, "open.example.org"))).toEqual(["203.0.113.9"]);
  await net.sandboxes.disconnect(id("a"), "out");
  expect(failure(await ask(a.netns, "shut.example.org"))).toBe("SERVFAIL");
  expect(heard).toEqual(["near.example.org", "open.example.org"]);
  near.close();
  outside.close();
});

test("a container can serve DNS on every address itself", async () => {
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n" }));
  const own = kernel.inNetns(a.netns ?? "", () => kernel.boundSocket({ kind: "udp", address: "0.0.0.0", port: 53 }));
  const socket = createSocket("udp4");
  socket.bind({ fd: own.fd });
  expect(addresses(await ask(a.netns, "a"))).toEqual(["172.18.0.2"]);
  socket.close();
});
