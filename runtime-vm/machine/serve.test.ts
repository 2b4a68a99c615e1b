import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serveSocket } from "./serve.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "slipway-serve-"))));
afterEach(() => rmSync(dir, { recursive: true }));

/** An engine whose answer comes only after the whole request. */
const upperCase = async (): Promise<Duplex> =>
  Duplex.from(async function* (source: AsyncIterable<Buffer>) {
    let all = "";
    for await (const chunk of source) all += String(chunk);
    yield all.toUpperCase();
  });

test("a client that half-closes still gets its answer, on a socket of its owner alone", async () => {
  await using served = await serveSocket(join(dir, "made", "for it", "s"), upperCase);
  expect(statSync(served.path).mode & 0o777).toBe(0o600);
  const client = connect({ path: served.path, allowHalfOpen: true });
  client.end("request");
  expect(await text(client)).toBe("REQUEST");
});

test("an engine that cannot be reached ends the client's connection", async () => {
  await using served = await serveSocket(join(dir, "s"), () => Promise.reject(new Error("not running")));
  const client = connect(served.path);
  client.on("error", () => {});
  await once(client.resume(), "close");
  expect(client.destroyed).toBe(true);
});

test("a socket that another program serves is left alone, a dead one is replaced, a file is not touched", async () => {
  const live = createServer().listen(join(dir, "live"));
  await once(live, "listening");
  await expect(serveSocket(join(dir, "live"), upperCase)).rejects.toMatchObject({ class: "conflict" });
  live.close();

  // A program that was killed leaves its socket behind.
  const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, join(dir, "dead")]);
  expect(statSync(join(dir, "dead")).isSocket()).toBe(true);
  await using served = await serveSocket(join(dir, "dead"), upperCase);
  const client = connect({ path: served.path, allowHalfOpen: true });
  client.end("alive");
  expect(await text(client)).toBe("ALIVE");

  writeFileSync(join(dir, "file"), "precious");
  await expect(serveSocket(join(dir, "file"), upperCase)).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining("is no socket") as string,
  });
  expect(statSync(join(dir, "file")).size).toBe(8);
});
