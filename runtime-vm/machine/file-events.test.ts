import { mkdir, mkdtemp, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
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
    // As the guest does it, on the very same file.
    changed: async (changes) => {
      for (const { path, mtimeNs } of changes) {
        told.push(path.slice(root.length) || "/");
        const now = await stat(path, { bigint: true });
        if (now.mtimeNs === BigInt(mtimeNs)) await utimes(path, Number(now.atimeMs) / 1_000, new Date(Number(now.mtimeMs)));
      }
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
/** With whole milliseconds, so that setting a time again by Node changes nothing. */
const write = async (path: string, text: string): Promise<void> => {
  await writeFile(join(root, path), text);
  const at = new Date(Date.now());
  await utimes(join(root, path), at, at);
};

test("changes are told by path, what came, went or was renamed by its folder, and telling is no change itself", async () => {
  await mkdir(join(root, "deep"));
  await write("deep/file", "1");
  await using _events = open();
  expect(await settled()).toEqual([]);
  await write("deep/file", "22");
  await toldOf("/deep/file");
  await write("deep/new", "");
  await toldOf("/deep", "/deep/new");
  await rename(join(root, "deep/new"), join(root, "deep/renamed"));
  await toldOf("/deep", "/deep/renamed");
  await rm(join(root, "deep/renamed"));
  await toldOf("/deep");
  expect(await settled()).toEqual([]);
});

test("a folder that is new is watched with what is in it already", async () => {
  await using _events = open();
  await settled();
  await mkdir(join(root, "a/b"), { recursive: true });
  await write("a/b/first", "");
  await toldOf("/a", "/a/b", "/a/b/first");
  await write("a/b/second", "");
  await toldOf("/a/b/second");
  expect(notices).toEqual([]);
});

test("a file that is mounted by itself is followed through a replacement, its neighbours are not", async () => {
  await write("file", "1");
  mounted = [join(root, "file")];
  await using _events = open();
  await settled();
  await write("other", "1");
  await rename(join(root, "other"), join(root, "file"));
  expect(await settled()).toEqual(["/file"]);
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
  await toldOf("/file");
  mounted = [];
  events.write("{}\n");
  await settled();
  await write("file", "3");
  expect(await settled()).toEqual([]);
  expect(notices).toEqual([]);
});
