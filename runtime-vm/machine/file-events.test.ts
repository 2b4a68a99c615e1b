import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileChange } from "#link/calls.ts";
import { FileEvents } from "./file-events.ts";

let root: string;
let mounted: string[];
let events: PassThrough;
const told: string[] = [];
const notices: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-events-"));
  mounted = [root];
  events = new PassThrough();
  told.length = 0;
  notices.length = 0;
});
afterEach(() => rm(root, { recursive: true }));

/** An engine that is known by its two answers. */
const open = (changed: (changes: readonly FileChange[]) => Promise<unknown> = noteTold): FileEvents =>
  new FileEvents({
    engine: {
      json: async <T>() => [{ Mounts: mounted.map((Source) => ({ Type: "bind", Source })) }] as T,
      stream: async (_method, _path, options) => {
        const body = events;
        options?.signal?.addEventListener("abort", () => body.destroy());
        return { status: 200, headers: {}, body: body as unknown as IncomingMessage };
      },
    },
    platform: "linux",
    changed,
    notice: (text) => void notices.push(text),
  });

async function noteTold(changes: readonly FileChange[]): Promise<void> {
  for (const { path, what, type } of changes) told.push(`${what}${type === "file" ? "" : ` ${type}`} ${path.slice(root.length) || "/"}`);
}

const toldOf = async (...paths: readonly string[]): Promise<void> => {
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(expect.arrayContaining([...paths]));
  await settled();
};
/** What is told until nothing more comes. */
const settled = async (): Promise<string[]> => {
  await new Promise((quiet) => setTimeout(quiet, 600));
  return [...new Set(told.splice(0))].sort();
};
const write = (path: string, text: string): Promise<void> => writeFile(join(root, path), text);

test("what came, went, was renamed or written to is told by its path, a new mode is not", async () => {
  await mkdir(join(root, "deep"));
  await write("deep/file", "1");
  await using _events = open();
  expect(await settled()).toEqual([]);
  await write("deep/file", "22");
  await toldOf("changed /deep/file");
  await chmod(join(root, "deep/file"), 0o600);
  expect(await settled()).toEqual([]);
  await write("deep/new", "");
  await toldOf("came /deep/new");
  await rename(join(root, "deep/new"), join(root, "deep/renamed"));
  expect(await settled()).toEqual(["came /deep/renamed", "gone /deep/new"]);
  await write("deep/full", "1");
  expect(await settled()).toEqual(["came /deep/full", "changed /deep/full"]);
  await rm(join(root, "deep/renamed"));
  expect(await settled()).toEqual(["gone /deep/renamed"]);
  await rm(join(root, "deep"), { recursive: true });
  expect(await settled()).toEqual(["gone folder /deep"]);
});

test("a folder that is new is watched with what is in it already", async () => {
  await using _events = open();
  await settled();
  await mkdir(join(root, "a/b"), { recursive: true });
  await write("a/b/first", "1");
  await toldOf("came folder /a", "came folder /a/b", "came /a/b/first", "changed /a/b/first");
  await write("a/b/second", "");
  await toldOf("came /a/b/second");
  expect(notices).toEqual([]);
});

test("a file that is mounted by itself is followed through a replacement, its neighbours are not", async () => {
  await write("file", "1");
  mounted = [join(root, "file")];
  await using _events = open();
  await settled();
  await write("other", "1");
  await rename(join(root, "other"), join(root, "file"));
  expect(await settled()).toEqual(["came /file", "changed /file"]);
});

test("a folder is watched from its container's start to its end", async () => {
  mounted = [];
  await using _events = open();
  await settled();
  await write("file", "1");
  expect(await settled()).toEqual([]);
  mounted = [root];
  events.write("{}\n");
  await settled();
  await write("file", "2");
  await toldOf("changed /file");
  mounted = [];
  events.write("{}\n");
  await settled();
  await write("file", "3");
  expect(await settled()).toEqual([]);
  expect(notices).toEqual([]);
});

test("a burst is told of in few calls, each path once, and a file renamed in it as one that went and came in the same call", async () => {
  const calls: (readonly FileChange[])[] = [];
  const busy = Promise.withResolvers<void>();
  await write("old", "1");
  await using _events = open(async (changes) => {
    calls.push(changes);
    await noteTold(changes);
    // The guest is slow with the first one: everything after it has to wait.
    if (calls.length === 1) await busy.promise;
  });
  await settled();
  await write("old", "22");
  await expect.poll(() => calls).toHaveLength(1);
  for (let i = 0; i < 300; i += 1) for (const text of ["1", "22"]) await write(`file ${i}`, text);
  await rename(join(root, "old"), join(root, "renamed"));
  for (let i = 300; i < 600; i += 1) await write(`file ${i}`, "");
  await rm(join(root, "file 0"));
  // Whatever the system has said until then is noted.
  await settled();
  busy.resolve();
  await toldOf("came /file 599");
  expect(calls.length).toBeLessThan(4);
  const paths = calls.slice(1).flatMap((call) => call.map(({ path, what }) => `${what} ${path}`));
  expect(new Set(paths).size).toBe(paths.length);
  const half = (what: string): number => calls.findIndex((call) => call.some((change) => change.what === what && /old|renamed/.test(change.path)));
  expect(half("gone")).toBeGreaterThan(0);
  expect(half("came")).toBe(half("gone"));
  const call = calls[half("came")] ?? [];
  const at = call.findIndex(({ what, path }) => what === "gone" && path === join(root, "old"));
  expect(call[at + 1]).toMatchObject({ what: "came", path: join(root, "renamed"), number: call[at]?.number });
  for (const { agoMs } of calls.flat()) expect(agoMs).toBeGreaterThanOrEqual(0);
});
