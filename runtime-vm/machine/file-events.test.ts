import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
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
const open = (): FileEvents =>
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
    changed: async (changes) => {
      for (const { path, what, type } of changes) told.push(`${what}${type === "file" ? "" : ` ${type}`} ${path.slice(root.length) || "/"}`);
    },
    notice: (text) => void notices.push(text),
  });

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
