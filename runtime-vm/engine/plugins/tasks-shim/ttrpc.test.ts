import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { frame, FrameReader, serveTtrpc, TtrpcClient, TtrpcError } from "./ttrpc.ts";

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-ttrpc-"));
  path = join(dir, "s");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("calls of one connection overlap and each gets its own answer", async () => {
  await using _server = await serveTtrpc(path, (service, method, payload) => Buffer.from(`${service}/${method}:${payload.toString()}`));
  using client = await TtrpcClient.open(path);
  const answers = await Promise.all(["a", "b", "c"].map((text) => client.call("Echo", "Say", Buffer.from(text))));
  expect(answers.map(String)).toEqual(["Echo/Say:a", "Echo/Say:b", "Echo/Say:c"]);
});

test("an error keeps its code and text, and has a class of ours", async () => {
  await using _server = await serveTtrpc(path, () => {
    throw new TtrpcError(5, "container x: not found");
  });
  using client = await TtrpcClient.open(path);
  await expect(client.call("Task", "State", Buffer.alloc(0))).rejects.toMatchObject({ code: 5, class: "notFound", message: "container x: not found" });
});

test("when the other side goes, pending and later calls fail as unavailable", async () => {
  const connections: Socket[] = [];
  const server = createServer((socket) => void connections.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  using client = await TtrpcClient.open(path);
  const pending = client.call("Task", "Wait", Buffer.alloc(0));
  const failed = pending.catch((error: unknown) => error);
  while (connections.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  connections[0]?.destroy();
  expect(await failed).toMatchObject({ class: "unavailable" });
  await client.closed;
  await expect(client.call("Task", "Wait", Buffer.alloc(0))).rejects.toMatchObject({ class: "unavailable" });
  await new Promise((resolve) => server.close(resolve));
});

test("aborting stops the waiting for one call only", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  using client = await TtrpcClient.open(path);
  const abort = new AbortController();
  const first = client.call("Task", "Wait", Buffer.alloc(0), abort.signal);
  const second = client.call("Task", "Wait", Buffer.alloc(0));
  const closed = second.catch((error: unknown) => error);
  abort.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  client[Symbol.dispose]();
  expect(await closed).toMatchObject({ class: "cancelled" });
  server.close();
});

test("frames are found wherever the stream is cut", () => {
  const bytes = Buffer.concat([frame(1, 2, Buffer.from("one")), frame(3, 2, Buffer.alloc(0)), frame(5, 1, Buffer.from("three"))]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const found: string[] = [];
    const reader = new FrameReader((stream, type, body) => void found.push(`${stream} ${type} ${body.toString()}`));
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) reader.push(part, { destroy: () => expect.unreachable() });
    expect(found).toEqual(["1 2 one", "3 2 ", "5 1 three"]);
  }
});

test("a frame past the protocol's limit ends the connection", () => {
  const head = frame(1, 2, Buffer.alloc(0));
  head.writeUInt32BE(0x7fffffff, 0);
  let reason: Error | undefined;
  new FrameReader(() => expect.unreachable()).push(head, { destroy: (error) => (reason = error) });
  expect(reason?.message).toContain("2147483647 bytes");
});
