import { createSocket } from "node:dgram";
import { once } from "node:events";
import { constants, performServerHandshake } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { DatagramReader, frameDatagram } from "./datagrams.ts";
import { connectLink } from "./host.ts";
import { openRig, socketPair } from "./rig.ts";
import { sessionOptions } from "./session.ts";
import { joinTo, type Tunnel } from "./tunnel.ts";

vi.setConfig({ testTimeout: 60_000 }); // Megabytes on a computer that may be busy.

const echo = (socket: Socket): void => void socket.on("error", () => {}).pipe(socket);
const tcp = (port: number) => ({ kind: "tcp", address: "127.0.0.1", port }) as const;

test("an end of the host's direction reaches the server, which can still answer afterwards", async () => {
  await using rig = await openRig();
  const port = await rig.listen((socket) => void text(socket).then((all) => socket.end(`got ${all}`)));
  const tunnel = await rig.link.open(tcp(port));
  tunnel.end("request");
  expect(await text(tunnel)).toBe("got request");
});

test("an end of the server's direction reaches the host, which can still send afterwards", async () => {
  await using rig = await openRig();
  const received = Promise.withResolvers<string>();
  const port = await rig.listen((socket) => {
    socket.end("goodbye");
    void text(socket).then(received.resolve);
  });
  const tunnel = await rig.link.open(tcp(port));
  expect(await text(tunnel)).toBe("goodbye");
  await new Promise((resolve) => tunnel.write("still here", resolve));
  tunnel.end();
  expect(await received.promise).toBe("still here");
});

test("a spliced TCP connection keeps half-close all the way through", async () => {
  await using rig = await openRig();
  const port = await rig.listen((socket) => void text(socket).then((all) => socket.end(all.toUpperCase())));
  const front = await rig.listen((socket) => void joinTo(socket, () => rig.link.open(tcp(port))));
  const client = connect({ port: front, host: "127.0.0.1", allowHalfOpen: true });
  client.end("through and through");
  expect(await text(client)).toBe("THROUGH AND THROUGH");
});

test("a reset by the server arrives as a reset, not as an end", async () => {
  await using rig = await openRig();
  const port = await rig.listen((socket) => socket.write("partial", () => socket.resetAndDestroy()));
  const front = await rig.listen((socket) => void joinTo(socket, () => rig.link.open(tcp(port))));
  const client = connect({ port: front, host: "127.0.0.1", allowHalfOpen: true });
  await expect(text(client)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a reset by the client arrives at the server as a reset", async () => {
  await using rig = await openRig();
  const seen = Promise.withResolvers<unknown>();
  const port = await rig.listen((socket) => void text(socket).catch(seen.resolve));
  const front = await rig.listen((socket) => void joinTo(socket, () => rig.link.open(tcp(port))));
  const client = connect({ port: front, host: "127.0.0.1" });
  await once(client, "connect");
  await new Promise((resolve) => client.write("x", resolve));
  await sleep(50);
  client.resetAndDestroy();
  expect(await seen.promise).toMatchObject({ code: "ECONNRESET" });
});

test("destroying a tunnel in the middle of an answer resets the server's connection", async () => {
  await using rig = await openRig();
  const seen = Promise.withResolvers<string>();
  const port = await rig.listen((socket) => {
    socket.on("error", () => {});
    socket.on("close", (hadError) => seen.resolve(hadError ? "reset" : "closed"));
    const more = (): void => {
      if (!socket.destroyed) socket.write(Buffer.alloc(65_536), more);
    };
    more();
  });
  const tunnel = await rig.link.open(tcp(port));
  await once(tunnel, "data");
  tunnel.destroy();
  expect(await seen.promise).toBe("reset");
});

test("a lost session resets tunnels on both sides, even those half closed", async () => {
  await using rig = await openRig();
  const server = Promise.withResolvers<Socket>();
  const port = await rig.listen((socket) => server.resolve(socket.on("error", () => {})));
  const tunnel = await rig.link.open(tcp(port));
  tunnel.end("a request whose answer never comes");
  const socket = await server.promise;
  const socketClosed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  rig.hostEnd.destroy();
  await expect(text(tunnel)).rejects.toMatchObject({ code: "ECONNRESET" });
  await socketClosed;
  await rig.link.closed;
  await rig.guestClosed;
});

test("a tunnel whose session ended as it was opened is reset", async () => {
  await using undo = new AsyncDisposableStack();
  const [hostEnd, guestEnd] = await socketPair(undo);
  const guest = performServerHandshake(guestEnd, sessionOptions);
  const asked = Promise.withResolvers<void>();
  guest
    .on("error", () => {})
    .on("stream", (stream, headers) => {
      stream.on("error", () => {}).respond({ ":status": 200 });
      if (headers[":path"] !== "/calls") setImmediate(asked.resolve);
    });
  const noCall = (): Promise<never> => Promise.reject(new Error("not served in this test"));
  const serve = () => ({ publish: noCall, unpublish: noCall, resolve: noCall, dial: noCall });
  const link = undo.use(await connectLink(hostEnd, { serve, signal: new AbortController().signal }));
  // The answer and the end are read in one piece, as by a host that was suspended meanwhile.
  hostEnd.pause();
  const opening = link.open(tcp(80));
  await asked.promise;
  guest.destroy(new Error("the host showed no life"), constants.NGHTTP2_INTERNAL_ERROR);
  await new Promise((resolve) => guestEnd.once("close", resolve));
  hostEnd.resume();
  const tunnel = await opening;
  await expect(text(tunnel)).rejects.toMatchObject({ code: "ECONNRESET" });
  await link.closed;
});

test("a target that refuses is an error with its errno's name, not an empty stream", async () => {
  await using rig = await openRig();
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  await expect(rig.link.open(tcp(port))).rejects.toMatchObject({
    class: "unavailable",
    code: "ECONNREFUSED",
    message: `cannot connect to 127.0.0.1:${port}: ECONNREFUSED`,
  });
  await expect(rig.link.open({ kind: "engine" })).rejects.toMatchObject({ code: "ENOENT" });
});

test("500 tunnels carry their own bytes at the same time", async () => {
  await using rig = await openRig();
  const port = await rig.listen((socket) => echo(socket));
  const talk = async (i: number): Promise<void> => {
    const tunnel = await rig.link.open(tcp(port));
    const sent = Buffer.alloc(40_000 + i, String(i));
    tunnel.end(sent);
    expect((await buffer(tunnel)).equals(sent)).toBe(true);
  };
  await Promise.all(Array.from({ length: 500 }, (_, i) => talk(i)));
});

test("a reader that does not read stops its own sender within the window and nobody else", async () => {
  await using rig = await openRig();
  let sent = 0;
  const port = await rig.listen((socket) => {
    socket.on("error", () => {});
    const more = (): void => void (!socket.destroyed && socket.write(Buffer.alloc(65_536), () => ((sent += 65_536), more())));
    more();
  });
  const echoPort = await rig.listen((socket) => echo(socket));
  const stuck = await Promise.all(Array.from({ length: 8 }, () => rig.link.open(tcp(port))));
  await settled();
  expect(sent).toBeLessThan(8 * 16 * 1024 * 1024);
  const other = await rig.link.open(tcp(echoPort));
  other.end("not stuck");
  expect(await text(other)).toBe("not stuck");
  for (const tunnel of stuck) tunnel.destroy();

  async function settled(): Promise<void> {
    for (let before = -1; before !== sent; ) {
      before = sent;
      await sleep(200);
    }
  }
});

test("bytes come through whole and in order past every window", async () => {
  await using rig = await openRig();
  const port = await rig.listen((socket) => echo(socket));
  const tunnel = await rig.link.open(tcp(port));
  const sent = Buffer.alloc(40 * 1024 * 1024);
  for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(i, i);
  tunnel.end(sent);
  expect((await buffer(tunnel)).equals(sent)).toBe(true);
});

test("datagrams keep their borders and come back from where they were sent to", async () => {
  await using rig = await openRig();
  const echo = createSocket("udp4");
  echo.on("message", (datagram, from) => echo.send(datagram, from.port, from.address));
  echo.bind(0, "127.0.0.1");
  await once(echo, "listening");
  const tunnel = await rig.link.open({ kind: "udp", address: "127.0.0.1", port: echo.address().port });
  const sent = ["", "a", "b".repeat(9_000)];
  for (const payload of sent) tunnel.write(frameDatagram(Buffer.from(payload)));
  const reader = new DatagramReader();
  const back: string[] = [];
  for await (const chunk of tunnel) {
    back.push(...reader.push(chunk as Buffer).map(String));
    if (back.length === sent.length) break;
  }
  expect(back.toSorted()).toEqual(sent.toSorted());
  echo.close();
});

test("calls go both ways, carry errors with their class, and can be cancelled", async () => {
  const aborted = Promise.withResolvers<boolean>();
  await using rig = await openRig({
    hostCalls: () => ({
      publish: async ({ hostPort }) => ({ lease: "l", hostPort }),
      resolve: (_arg, { signal }) => new Promise(() => signal.addEventListener("abort", () => aborted.resolve(true))),
    }),
  });
  expect(await rig.link.guest.call("usage", null)).toMatchObject({ memoryTotalBytes: 2 });
  expect(await rig.host.call("publish", { proto: "tcp", hostIp: "", hostPort: 7, target: { address: "10.0.0.2", port: 80 } })).toEqual({
    lease: "l",
    hostPort: 7,
  });
  await expect(rig.host.call("unpublish", { lease: "x" })).rejects.toMatchObject({ class: "internal", message: "not served in this test" });
  const controller = new AbortController();
  const call = rig.host.call("resolve", { name: "a", type: "A" }, { signal: controller.signal });
  await sleep(20);
  controller.abort();
  await expect(call).rejects.toMatchObject({ class: "cancelled" });
  expect(await aborted.promise).toBe(true);
});

test("the host hands a connection to a guest that asked for it by its ticket", async () => {
  await using rig = await openRig({
    hostCalls: (link) => ({
      dial: async ({ ticket }) => {
        const tunnel = await link.open({ kind: "accept", ticket });
        tunnel.end("from the host");
        return null;
      },
    }),
  });
  await rig.host.call("dial", { address: "127.0.0.1", port: 1, ticket: "abc123" });
  expect(await text(rig.accepted.get("abc123") as Tunnel)).toBe("from the host");
});

test("an end of the link that falls silent is noticed by the other", async () => {
  await using rig = await openRig({ times: { intervalMs: 50, silenceMs: 400 } });
  rig.freeze();
  expect(await rig.link.closed).toMatchObject({ message: "the guest showed no life for 400 ms" });
  expect(await rig.guestClosed).toMatchObject({ message: "the host showed no life for 400 ms" });
});

test("an end that is known to be paused is not missed, and has its full time once it goes on", async () => {
  let paused = true;
  await using rig = await openRig({ times: { intervalMs: 20, silenceMs: 200, excused: () => paused } });
  rig.freeze();
  const over = rig.link.closed.then(() => "over");
  const later = new Promise<string>((resolve) => setTimeout(resolve, 600, "still there"));
  expect(await Promise.race([over, later])).toBe("still there");
  paused = false;
  expect(await rig.link.closed).toMatchObject({ message: "the guest showed no life for 200 ms" });
});
