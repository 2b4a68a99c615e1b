import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import dns from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { serverResolver } from "./forward.ts";
import { frame, MessageReader } from "./framing.ts";

const open: (Socket | Server)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const query = dns.encode({ type: "query", id: 99, flags: dns.RECURSION_DESIRED, questions: [{ type: "A", name: "example.org" }] });
const never = new AbortController().signal;
const SERVFAIL = 2;

const answer = (message: Uint8Array, data: string): Buffer => {
  const asked = dns.decode(Buffer.from(message));
  return dns.encode({ type: "response", id: asked.id ?? 0, questions: asked.questions ?? [], answers: [{ type: "A", name: "example.org", data }] });
};
const failure = (message: Uint8Array): Buffer => {
  const asked = dns.decode(Buffer.from(message));
  return dns.encode({ type: "response", id: asked.id ?? 0, flags: SERVFAIL, questions: asked.questions ?? [] });
};
const dataOf = (reply: Uint8Array): unknown => (dns.decode(Buffer.from(reply)).answers?.[0] as dns.StringAnswer | undefined)?.data;

/** Resolvers on one port of several loopback addresses. */
async function serve(address: string, port: number, replies: (message: Buffer) => Buffer[]): Promise<number> {
  const socket = createSocket("udp4", (message, from) => {
    for (const reply of replies(message)) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  open.push(socket);
  return socket.address().port;
}

test("the first server that answers wins, failing and refusing ones are passed over", async () => {
  const port = await serve("127.0.0.2", 0, (message) => [failure(message)]);
  await serve("127.0.0.4", port, (message) => [answer(message, "192.0.2.4")]);
  const reply = await serverResolver(() => ["127.0.0.2", "127.0.0.3", "127.0.0.4"], port)(query, "udp", never);
  expect(dataOf(reply)).toBe("192.0.2.4");
});

test("when all fail the client learns their failure, when none answers it is an error", async () => {
  const port = await serve("127.0.0.2", 0, (message) => [failure(message)]);
  const reply = await serverResolver(() => ["127.0.0.2"], port)(query, "udp", never);
  expect(dns.decode(Buffer.from(reply)).id).toBe(99);
  await expect(serverResolver(() => ["127.0.0.3"], port)(query, "udp", never)).rejects.toMatchObject({ class: "unavailable" });
  await expect(serverResolver(() => [], port)(query, "udp", never)).rejects.toMatchObject({ class: "unavailable" });
});

test("a server that was silent is not waited for as long again, until it answers", async () => {
  const asked: number[] = [];
  const port = await serve("127.0.0.2", 0, () => []);
  const socket = open.at(-1) as Socket;
  let afterMs = 0;
  socket.on("message", (message, from) => {
    asked.push(afterMs);
    if (asked.length > 1) setTimeout(() => open.includes(socket) && socket.send(answer(message, "192.0.2.2"), from.port, from.address), afterMs);
  });
  const resolve = serverResolver(() => ["127.0.0.2"], port, { serverMsMax: 1_500, silentMsMax: 150, silentWhileMs: 60_000 });
  const timely = async (ms: number) => {
    afterMs = ms;
    return await resolve(query, "udp", never).then(dataOf, () => "silence");
  };
  expect(await timely(0)).toBe("silence");
  expect(await timely(600)).toBe("silence");
  expect(await timely(0)).toBe("192.0.2.2");
  expect(await timely(600)).toBe("192.0.2.2");
});

test("a reply to another query is not taken for ours", async () => {
  const port = await serve("127.0.0.2", 0, (message) => {
    const wrong = answer(message, "198.51.100.1");
    wrong.writeUInt16BE(1, 0);
    return [wrong, answer(message, "192.0.2.7")];
  });
  expect(dataOf(await serverResolver(() => ["127.0.0.2"], port)(query, "udp", never))).toBe("192.0.2.7");
});

test("a query that came by TCP goes on by TCP, whole", async () => {
  const server = createServer((socket) => {
    const reader = new MessageReader();
    socket.on("data", (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        const reply = frame(answer(message, "192.0.2.9"));
        socket.write(reply.subarray(0, 5));
        setImmediate(() => socket.end(reply.subarray(5)));
      }
    });
  }).listen(0, "127.0.0.2");
  await once(server, "listening");
  open.push(server);
  const { port } = server.address() as { port: number };
  expect(dataOf(await serverResolver(() => ["127.0.0.2"], port)(query, "tcp", never))).toBe("192.0.2.9");
  await expect(serverResolver(() => ["127.0.0.3"], port)(query, "tcp", never)).rejects.toMatchObject({ class: "unavailable" });
});

test("an aborted query stops asking", async () => {
  const abort = new AbortController();
  const port = await serve("127.0.0.2", 0, () => {
    abort.abort(new Error("enough"));
    return [];
  });
  await expect(serverResolver(() => ["127.0.0.2", "127.0.0.2"], port)(query, "udp", abort.signal)).rejects.toThrow("enough");
});
