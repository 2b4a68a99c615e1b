import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Grown } from "#core/layers/layers.ts";
import { digestOf, file } from "#core/layers/layers.rig.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { UnpackPool } from "./unpack-pool.ts";
import { ThreadLost, UnpackThread } from "./unpack-thread.ts";
import type { UnpackRequest } from "./unpack.worker.ts";

const signal = new AbortController().signal;
const tar = packTar([file("a", "x".repeat(3_000_000))]);
let directory: string;
let thread: UnpackThread;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "thread-"));
  thread = new UnpackThread();
});
afterEach(async () => {
  await thread.end();
  rmSync(directory, { recursive: true });
});

function request(name: string): UnpackRequest {
  const path = join(directory, name);
  writeFileSync(path, gzipSync(tar, { level: 1 }));
  return { source: path, tar: `${path}.tar`, index: `${path}.erofs`, directory: `${path}.d` };
}

/** A source of which nothing more comes until it is told how it goes on. */
function growing(): { growth: AsyncIterable<Grown>; whole: () => void; begun: Promise<void> } {
  const [more, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* grow(): AsyncIterable<Grown> {
    yield { readable: 100 };
    begun.resolve();
    await more.promise;
  }
  return { growth: grow(), whole: () => more.resolve(), begun: begun.promise };
}

test("a thread has several layers at a time, of which one can be given up without the others", async () => {
  const [first, second] = [growing(), growing()];
  const stop = new AbortController();
  const givenUp = thread.ask(request("one"), { signal: stop.signal, growth: first.growth });
  const other = thread.ask(request("two"), { signal, growth: second.growth });
  await Promise.all([first.begun, second.begun]);
  expect(thread.layers).toBe(2);
  stop.abort(new Error("no more"));
  await expect(givenUp).rejects.toThrow("no more");
  expect([thread.layers, thread.over]).toEqual([1, false]);
  // While one waits for its source another is read to its end.
  expect(await thread.ask(request("three"), { signal })).toMatchObject({ digest: digestOf(tar), size: tar.length });
  second.whole();
  expect(await other).toMatchObject({ digest: digestOf(tar) });
  expect([thread.layers, thread.over]).toEqual([0, false]);
});

test("a thread of which nothing is wanted any more is ended, whatever it is in the middle of", async () => {
  const stops = [new AbortController(), new AbortController()];
  const sources = stops.map(() => growing());
  const asked = stops.map(({ signal: stop }, i) => thread.ask(request(`${i}`), { signal: stop, growth: sources[i]!.growth }));
  await Promise.all(sources.map(({ begun }) => begun));
  for (const [i, stop] of stops.entries()) stop.abort(new Error(`no ${i}`));
  for (const [i, one] of asked.entries()) await expect(one).rejects.toThrow(`no ${i}`);
  expect([thread.layers, thread.over]).toEqual([0, true]);
});

test("of a lost thread's layers each may be tried again, but not the one that was alone", async () => {
  const asked = ["one", "two"].map((name) => thread.ask(request(name), { signal, growth: growing().growth }));
  await thread.end();
  for (const one of asked) await expect(one).rejects.toBeInstanceOf(ThreadLost);
  const single = new UnpackThread();
  const lonely = single.ask(request("three"), { signal, growth: growing().growth });
  await single.end();
  await expect(lonely).rejects.toMatchObject({ class: "internal" });
  await expect(lonely).rejects.not.toBeInstanceOf(ThreadLost);
});

test("a pool shares its threads among more layers than it has, and ends one that a layer had to itself", async () => {
  await using pool = new UnpackPool({ layersMax: 3, threadsMax: 1 }, () => {});
  const sources = [growing(), growing()];
  const waiting = sources.map(({ growth }, i) => pool.run(request(`${i}`), { signal, growth }));
  await Promise.all(sources.map(({ begun }) => begun));
  const alone = request("alone");
  await pool.run(alone, { signal }, { alone: true });
  expect(existsSync(alone.index!)).toBe(true);
  for (const { whole } of sources) whole();
  for (const done of await Promise.all(waiting)) expect(done.digest).toBe(digestOf(tar));
  expect(pool.busy).toBe(false);
});
