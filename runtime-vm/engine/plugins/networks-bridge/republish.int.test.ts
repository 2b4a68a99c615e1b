/** Ports of a container that runs: published and taken back, while connections through others go on. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { closeAll, id, inOwnNetwork, net, openAll, request, serve, talk, traces } from "./rig.ts";

inOwnNetwork();

const at = (HostIp: string, HostPort: string) => ({ HostIp, HostPort });
const asked = request("a", { ports: { "80/tcp": [at("127.0.0.1", "18080")] }, exposed: ["80/tcp"] });

test("a port is published and taken back while a connection through another one stays", async () => {
  const a = await net.sandboxes.open(asked);
  const server = await serve(a.netns, 80);
  const held = connect({ host: "127.0.0.1", port: 18_080, allowHalfOpen: true });
  await once(held, "connect");
  const more = await net.sandboxes.republish(id("a"), { add: { "80/tcp": [at("127.0.0.1", "18081")], "81": [at("127.0.0.1", "")] }, remove: {} });
  expect(more.ports).toEqual({ "80/tcp": [at("127.0.0.1", "18080"), at("127.0.0.1", "18081")], "81/tcp": [at("127.0.0.1", expect.stringMatching(/^\d+$/))] });
  expect(await talk("127.0.0.1", 18_081, "new")).toBe("heard new from 172.17.0.1");
  const less = await net.sandboxes.republish(id("a"), { add: {}, remove: { "80/tcp": [at("", "18081")], "81/tcp": null } });
  expect(less.ports).toEqual({ "80/tcp": [at("127.0.0.1", "18080")] });
  await expect(talk("127.0.0.1", 18_081, "gone")).rejects.toThrow("ECONNREFUSED");
  held.end("old");
  expect((await held.toArray()).join("")).toBe("heard old from 172.17.0.1");
  server.close();
});

test("a change that cannot be made whole changes nothing, and says what is in the way", async () => {
  const a = await net.sandboxes.open(asked);
  await net.sandboxes.open(request("b", { ports: { "80/tcp": [at("127.0.0.1", "18090")] }, project: "shop" }));
  const change = { add: { "80/tcp": [at("127.0.0.1", "18085"), at("127.0.0.1", "18090")] }, remove: { "80/tcp": [at("", "18080")] } };
  await expect(net.sandboxes.republish(id("a"), change)).rejects.toThrow(
    "Bind for 127.0.0.1:18090 failed: port is already allocated by container b of project shop",
  );
  const server = await serve(a.netns, 80);
  expect(await talk("127.0.0.1", 18_080, "still")).toBe("heard still from 172.17.0.1");
  await expect(talk("127.0.0.1", 18_085, "never")).rejects.toThrow("ECONNREFUSED");
  server.close();
  const stranger = createServer().listen(18_086, "127.0.0.1");
  await once(stranger, "listening");
  await expect(net.sandboxes.republish(id("a"), { add: { "80/tcp": [at("127.0.0.1", "18086")] }, remove: {} })).rejects.toThrow(
    /address already in use by .* \(process \d+\)/,
  );
  stranger.close();
  const remove = (remove: Parameters<typeof net.sandboxes.republish>[1]["remove"]) => net.sandboxes.republish(id("a"), { add: {}, remove });
  await expect(remove({ "81/tcp": null })).rejects.toMatchObject({ class: "notFound", message: "container a has no published port 81/tcp" });
  await expect(remove({ "80/tcp": [at("127.0.0.1", "1")] })).rejects.toThrow("container a has no published port 80/tcp at 127.0.0.1:1");
  await expect(net.sandboxes.republish(id("c"), { add: {}, remove: {} })).rejects.toThrow("is not running");
});

test("what is published already is published when it is asked for again, and nobody else is", async () => {
  await net.sandboxes.open(request("a", { ports: { "80/tcp": [at("", "18080")] } }));
  const asks = { add: { "80/tcp": [at("", "18080"), at("127.0.0.1", "18081")] }, remove: {} };
  const once = await net.sandboxes.republish(id("a"), asks);
  expect(await net.sandboxes.republish(id("a"), asks)).toMatchObject({ ports: once.ports });
  expect(once.ports["80/tcp"]).toHaveLength(3);
  await expect(net.sandboxes.republish(id("a"), { add: { "81/tcp": [at("", "18080")] }, remove: {} })).rejects.toThrow("already allocated by container a");
});

test("of a port published everywhere one address can be taken back, and where there is no way in nothing is published", async () => {
  await net.sandboxes.open(request("a", { ports: { "80/tcp": [at("", "18080")] } }));
  const less = await net.sandboxes.republish(id("a"), { add: {}, remove: { "80/tcp": [at("[::]", "")] } });
  expect(less.ports).toEqual({ "80/tcp": [at("0.0.0.0", "18080")] });
  await net.networks.create({ Name: "in", Internal: true });
  await net.sandboxes.open(request("b", { mode: "in" }));
  await expect(net.sandboxes.republish(id("b"), { add: { "80/tcp": [at("", "")] }, remove: {} })).rejects.toThrow(
    "container b is on no bridge network with a way out, so none of its ports can be published",
  );
});

test("changed ports outlive the engine, and end with the container", async () => {
  const a = await net.sandboxes.open(asked);
  await net.sandboxes.republish(id("a"), { add: { "80/tcp": [at("127.0.0.1", "18082")] }, remove: { "80/tcp": [at("", "18080")] } });
  await closeAll();
  openAll();
  const again = await net.sandboxes.restore(asked);
  expect(again).toMatchObject({ ports: { "80/tcp": [at("127.0.0.1", "18082")] }, asked: { "80/tcp": [at("127.0.0.1", "18082")] } });
  const server = await serve(a.netns, 80);
  expect(await talk("127.0.0.1", 18_082, "hi")).toBe("heard hi from 172.17.0.1");
  server.close();
  await net.sandboxes.close(id("a"));
  await expect(talk("127.0.0.1", 18_082, "hi")).rejects.toThrow("ECONNREFUSED");
  expect(await traces()).toMatchObject({ netns: [], records: [], veths: [] });
});
