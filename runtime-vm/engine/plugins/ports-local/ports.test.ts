import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { alsoLocally } from "./also.ts";
import { localPorts } from "./publisher.ts";

let target: Server;
const seen: string[] = [];

/** A server that answers only when the client has finished sending: it needs the half-close to come through. */
beforeEach(async () => {
  seen.length = 0;
  target = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk.toString()));
    socket.on("end", () => socket.end(`heard ${heard}`));
    socket.on("error", (error) => seen.push(error.message));
  }).listen(0, "127.0.0.1");
  await once(target, "listening");
});
afterEach(() => void target.close());

const publish = (more: { hostIp?: string; hostPort?: number; proto?: "tcp" | "udp"; port?: number } = {}) =>
  localPorts.publish({
    proto: more.proto ?? "tcp",
    hostIp: more.hostIp ?? "127.0.0.1",
    hostPort: more.hostPort ?? 0,
    target: { address: "127.0.0.1", port: more.port ?? (target.address() as AddressInfo).port },
  });

async function talk(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(text);
  let heard = "";
  for await (const chunk of socket) heard += String(chunk);
  return heard;
}

test("a client that half-closes still gets the answer", async () => {
  await using port = await publish();
  expect(await talk(port.hostPort, "hello")).toBe("heard hello");
  expect(await talk(port.hostPort, "")).toBe("heard ");
});

const connections = process.env["SLIPWAY_TEST_LONG"] === "1" ? 10_000 : 200;
test(`${connections} short connections leave no descriptor behind`, async () => {
  await using port = await publish();
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  await talk(port.hostPort, "first");
  await expect.poll(() => count(target), { timeout: 20_000 }).toBe(0);
  const before = descriptors();
  const lane = async (): Promise<void> => {
    for (let i = 0; i < connections / 20; i += 1) expect(await talk(port.hostPort, "x")).toBe("heard x");
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  await expect.poll(() => count(target), { timeout: 20_000 }).toBe(0);
  await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThanOrEqual(before);
  expect(seen).toEqual([]);
}, 300_000);

const count = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, n) => (error === null ? resolve(n) : reject(error))));

test("ten megabytes arrive whole in both directions", async () => {
  await using port = await publish();
  const big = "x".repeat(10 * 1024 * 1024);
  expect((await talk(port.hostPort, big)).length).toBe(big.length + "heard ".length);
});

test("what a slow client reads of a fast server is every byte in its order", async () => {
  const sent = randomBytes(24 * 1024 * 1024);
  const fast = createServer((socket) => void socket.end(sent)).listen(0, "127.0.0.1");
  await once(fast, "listening");
  await using port = await publish({ port: (fast.address() as AddressInfo).port });
  const read = async (): Promise<Buffer> => {
    const socket = connect({ port: port.hostPort, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
      if (chunks.length % 16 === 0) await setTimeout(5);
    }
    return Buffer.concat(chunks);
  };
  for (const got of await Promise.all([read(), read(), read()])) expect(got.equals(sent)).toBe(true);
  fast.close();
}, 60_000);

test("a client that goes away in the middle takes the connection behind along, and a server that breaks off is a reset", async () => {
  const endless = createServer((socket) => {
    socket.on("error", (error) => seen.push(error.message));
    const more = (): void => void (socket.destroyed || socket.write(Buffer.alloc(65_536), more));
    more();
  }).listen(0, "127.0.0.1");
  await once(endless, "listening");
  await using port = await publish({ port: (endless.address() as AddressInfo).port });
  const leaving = connect(port.hostPort, "127.0.0.1");
  await once(leaving, "data");
  leaving.destroy();
  await expect.poll(() => count(endless), { timeout: 20_000 }).toBe(0);
  const [[behind], staying] = await Promise.all([once(endless, "connection"), Promise.resolve(connect(port.hostPort, "127.0.0.1"))]);
  await once(staying, "data");
  (behind as Socket).resetAndDestroy();
  staying.resume();
  const [error] = (await once(staying, "error")) as [Error & { code: string }];
  expect(error.code).toBe("ECONNRESET");
  endless.close();
});

test("a server that ends first lets the client go on sending", async () => {
  const early = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(early, "listening");
  const heard = once(early, "connection").then(async ([socket]) => {
    (socket as Socket).end("bye");
    return (await (socket as Socket).toArray()).join("");
  });
  await using port = await publish({ port: (early.address() as AddressInfo).port });
  const socket = connect({ port: port.hostPort, host: "127.0.0.1", allowHalfOpen: true });
  expect((await socket.toArray()).join("")).toBe("bye");
  socket.end("still here");
  expect(await heard).toBe("still here");
  early.close();
});

test("with nobody behind it the connection is reset", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port: free } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await using port = await publish({ port: free });
  const socket = connect(port.hostPort, "127.0.0.1");
  await expect(once(socket, "end")).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("an occupied port is a conflict in errno's words, and names who has it", async () => {
  await using port = await publish();
  await expect(publish({ hostPort: port.hostPort })).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringMatching(`^address already in use by .+ \\(process ${process.pid}\\)$`) as string,
  });
  await using udp = await publish({ proto: "udp" });
  await expect(publish({ proto: "udp", hostPort: udp.hostPort })).rejects.toMatchObject({ class: "conflict" });
  await expect(publish({ hostIp: "192.0.2.1" })).rejects.toMatchObject({ class: "internal", message: "cannot assign requested address" });
});

test("disposing frees the port and breaks connections off", async () => {
  const port = await publish();
  const socket = connect(port.hostPort, "127.0.0.1");
  await once(socket, "connect");
  const broken = once(socket, "close");
  socket.on("error", () => {});
  await port[Symbol.asyncDispose]();
  await broken;
  await using again = await publish({ hostPort: port.hostPort });
  expect(again.hostPort).toBe(port.hostPort);
});

test("each UDP client gets its own answers", async () => {
  const echo = createSocket("udp4");
  echo.on("message", (message, from) => echo.send(`to ${message.toString()}`, from.port, from.address));
  echo.bind(0, "127.0.0.1");
  await once(echo, "listening");
  await using port = await publish({ proto: "udp", port: echo.address().port });
  const answers = await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const socket = createSocket("udp4");
      socket.send(name, port.hostPort, "127.0.0.1");
      const [first] = (await once(socket, "message")) as [Buffer];
      socket.send(`${name}2`, port.hostPort, "127.0.0.1");
      const [second] = (await once(socket, "message")) as [Buffer];
      socket.close();
      return [first.toString(), second.toString()];
    }),
  );
  expect(answers).toEqual([
    ["to a", "to a2"],
    ["to b", "to b2"],
    ["to c", "to c2"],
  ]);
  echo.close();
});

test("a port published elsewhere is published here too, if it can be", async () => {
  const ended: number[] = [];
  const elsewhere = alsoLocally({
    publish: async ({ hostPort }) => ({
      hostPort: hostPort === 0 ? 40_123 : hostPort,
      [Symbol.asyncDispose]: async () => void ended.push(hostPort),
    }),
  });
  const what = { proto: "tcp" as const, hostIp: "127.0.0.1", hostPort: 0, target: { address: "127.0.0.1", port: (target.address() as AddressInfo).port } };
  const port = await elsewhere.publish(what);
  expect(await talk(port.hostPort, "hello")).toBe("heard hello");
  const taken = await elsewhere.publish({ ...what, hostPort: port.hostPort });
  await taken[Symbol.asyncDispose]();
  expect(await talk(port.hostPort, "still")).toBe("heard still");
  await port[Symbol.asyncDispose]();
  expect(ended).toEqual([40_123, 0]);
  await using again = await publish({ hostPort: port.hostPort });
  expect(again.hostPort).toBe(port.hostPort);
});
