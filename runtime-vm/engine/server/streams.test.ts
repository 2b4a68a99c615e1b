import { type Duplex, PassThrough, Readable, duplexPair } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { parseApiVersion } from "#api/versions.ts";
import { frame } from "#api/stdcopy.ts";
import { merged, serveStreams, streamContentType } from "./streams.ts";

const output = async function* (...chunks: [stream: "stdout" | "stderr", text: string][]) {
  for (const [stream, chunk] of chunks) {
    await Promise.resolve();
    yield { stream, bytes: Buffer.from(chunk) };
  }
};
const pair = (): { ours: Duplex; client: Duplex } => {
  const [ours, client] = duplexPair();
  return { ours, client };
};

test("two streams become one, and it ends when both have", async () => {
  const seen: string[] = [];
  for await (const { stream, bytes } of merged(Readable.from([Buffer.from("a"), Buffer.from("b")]), Readable.from([Buffer.from("c")])))
    seen.push(`${stream}:${Buffer.from(bytes).toString()}`);
  expect(seen.sort()).toEqual(["stderr:c", "stdout:a", "stdout:b"]);
  expect(await Array.fromAsync(merged(undefined, undefined))).toEqual([]);
});

test("without a terminal output is framed, with one it is bare", async () => {
  for (const tty of [false, true]) {
    const { ours, client } = pair();
    const received = buffer(client);
    await serveStreams(ours, { tty, output: output(["stdout", "out"], ["stderr", "err"]), input: undefined });
    const framed = Buffer.concat([frame("stdout", Buffer.from("out")), frame("stderr", Buffer.from("err"))]);
    expect((await received).equals(tty ? Buffer.from("outerr") : framed)).toBe(true);
  }
});

test("the client's half-close ends the input only", async () => {
  const { ours, client } = pair();
  const said = new PassThrough();
  const served = serveStreams(ours, {
    tty: true,
    output: output(["stdout", "still here"]),
    input: async (source) => {
      said.end(await text(source));
      return "ended";
    },
  });
  client.end("typed");
  expect(await text(said)).toBe("typed");
  expect(await text(client)).toBe("still here");
  await served;
});

test("detaching ends the connection while the output goes on", async () => {
  const { ours, client } = pair();
  const endless = async function* (): AsyncGenerator<{ stream: "stdout"; bytes: Buffer }> {
    await new Promise(() => {});
    yield { stream: "stdout", bytes: Buffer.alloc(0) };
  };
  const served = serveStreams(ours, { tty: true, output: endless(), input: () => Promise.resolve("detached") });
  expect(await text(client)).toBe("");
  await served;
});

test("a client that is gone does not keep the output from being read to its end", async () => {
  const { ours } = pair();
  let read = 0;
  const counted = async function* (): AsyncGenerator<{ stream: "stdout"; bytes: Buffer }> {
    for (; read < 100; read++) {
      await new Promise((resolve) => setImmediate(resolve));
      yield { stream: "stdout", bytes: Buffer.alloc(10) };
    }
  };
  ours.on("error", () => {});
  ours.destroy();
  await serveStreams(ours, { tty: true, output: counted(), input: undefined });
  await expect.poll(() => read).toBe(100);
});

test("framing is named from API 1.42 on", () => {
  expect(streamContentType(parseApiVersion("1.41"), false)).toBe("application/vnd.docker.raw-stream");
  expect(streamContentType(parseApiVersion("1.42"), false)).toBe("application/vnd.docker.multiplexed-stream");
  expect(streamContentType(parseApiVersion("1.51"), true)).toBe("application/vnd.docker.raw-stream");
});
