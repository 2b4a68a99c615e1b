import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { TarFile } from "#core/layers/tar-writer.ts";
import { openStore } from "./rig.ts";
import { dockerArchive, makeImage, type TestImage } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;
const file = (name: string, body: string, rest: Partial<TarFile> = {}): TarFile => ({ name, body: Buffer.from(body), ...rest });
const dir = (name: string, rest: Partial<TarFile> = {}): TarFile => ({ name: `${name}/`, type: "5", mode: 0o755, ...rest });
const link = (name: string, linkName: string): TarFile => ({ name, type: "2", linkName });

/** Everything that one layer can do to another. */
const layers: readonly (readonly TarFile[])[] = [
  [
    dir("etc", { mode: 0o700, uid: 5, gid: 6, mtime: 1_000_000 }),
    file("etc/kept", "kept"),
    file("etc/changed", "as it was"),
    file("etc/gone", "x".repeat(1000)),
    dir("hidden"),
    file("hidden/old", "y".repeat(2000)),
    dir("replaced"),
    file("replaced/inner", "z".repeat(300)),
    file("becomes", "a file"),
    dir("usr"),
    dir("usr/bin"),
    file("usr/bin/tool", "#!", { mode: 0o4755 }),
    link("bin", "usr/bin"),
    link("sbin", "/usr/bin"),
    link("loop", "loop"),
    { name: "pipe", type: "6", mode: 0o600 },
    { name: "null", type: "3", devMajor: 1, devMinor: 3, mode: 0o666 },
    file(Buffer.from("ümlaut").toString("latin1"), "u"),
  ],
  [
    file("etc/changed", "as it is"),
    file("etc/.wh.gone", ""),
    dir("hidden"),
    file("hidden/.wh..wh..opq", ""),
    file("hidden/new", "n"),
    file("replaced", "no directory"),
    dir("becomes"),
    file("becomes/inner", "in"),
    file("hard", "h".repeat(500)),
    { name: "harder", type: "1", linkName: "hard" },
  ],
  [file("etc/added", "later"), file(".wh.replaced", ""), dir("becomes"), file("becomes/more", "more"), file("bin/second", "in the place of the link")],
];

async function load(store: TestStore, image: TestImage): Promise<void> {
  await said(store.images.load(Readable.from([dockerArchive(image, ["app:1"])]), { signal }));
}

interface Row {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  readonly content: string;
}

/** What a container would see. */
function mounted(root: string, path = "/"): Record<string, Row> {
  const rows: Record<string, Row> = {};
  for (const name of readdirSync(join(root, path)).toSorted()) {
    const at = join(path, name);
    const stats = lstatSync(join(root, at));
    const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : stats.isFIFO() ? "fifo" : "device";
    const content = kind === "file" ? readFileSync(join(root, at), "utf8") : kind === "link" ? readlinkSync(join(root, at)) : "";
    rows[at] = { kind, mode: kind === "link" ? 0 : stats.mode & 0o7777, uid: stats.uid, size: kind === "file" ? stats.size : 0, content };
    if (kind === "directory") Object.assign(rows, mounted(root, at));
  }
  return rows;
}

async function browsed({ images }: TestStore, path = "/"): Promise<Record<string, Row>> {
  const rows: Record<string, Row> = {};
  for (const { name, kind, mode, uid, size, target } of (await images.browser.list("app:1", path, { signal })).entries) {
    const at = join(path, name);
    const content = kind === "file" ? (await buffer((await images.browser.read("app:1", at, { signal })).bytes)).toString() : (target ?? "");
    rows[at] = { kind, mode: kind === "link" ? 0 : mode, uid, size: kind === "file" ? size : 0, content };
    if (kind === "directory") Object.assign(rows, await browsed({ images } as TestStore, at));
  }
  return rows;
}

test("an image's files are listed and read as a container of it sees them", async () => {
  await using store = await openStore();
  await load(store, makeImage(layers));
  const { layers: diffIds } = await store.images.resolve("app:1");
  await store.snapshots.prepare("box", diffIds);
  const seen = mounted(await store.snapshots.mount("box"));
  expect(Object.keys(seen).length).toBeGreaterThan(20);
  expect(await browsed(store)).toEqual(seen);
  await store.snapshots.remove("box");
});

test("each layer is shown alone, with what it takes away, and with what later ones make of it", async () => {
  await using store = await openStore();
  await load(store, makeImage(layers));
  const { browser } = store.images;
  const names = async (path: string, layer?: number): Promise<string[]> =>
    (await browser.list("app:1", path, { signal, ...(layer === undefined ? {} : { layer }) })).entries.map(({ name, layer: from }) => `${from} ${name}`);
  expect(await names("/etc")).toEqual(["2 added", "1 changed", "0 kept"]);
  expect(await names("/etc", 0)).toEqual(["0 changed", "0 gone", "0 kept"]);
  expect(await browser.list("app:1", "/etc", { signal, layer: 1 })).toMatchObject({ removed: ["gone"], opaque: false, total: 1 });
  expect(await browser.list("app:1", "/hidden", { signal, layer: 1 })).toMatchObject({ removed: [], opaque: true });
  expect((await browser.list("app:1", "/sbin", { signal })).path).toBe("/usr/bin");
  const { Layers: rows, Size, Wasted } = await browser.layers("app:1", { signal });
  expect(rows.map(({ CreatedBy }) => CreatedBy)).toEqual(["layer 0", "layer 1", "layer 2"]);
  // Of the lowest: changed, gone, old, inner and the file that became a directory. Of the next: the file that went again.
  expect(rows.map((row) => row.Wasted)).toEqual([9 + 1000 + 2000 + 300 + 6, 12, 0]);
  expect(rows[1]).toMatchObject({ Size: 8 + 1 + 12 + 2 + 500, Files: 5 });
  expect([Size, Wasted]).toEqual([rows.reduce((sum, row) => sum + row.Size, 0), 3327]);
});

test("what cannot be shown is told in words", async () => {
  await using store = await openStore();
  await load(store, makeImage(layers));
  const { browser } = store.images;
  await expect(browser.list("app:1", "/none", { signal })).rejects.toMatchObject({ class: "notFound" });
  await expect(browser.list("app:1", "/etc/gone", { signal })).rejects.toMatchObject({ class: "notFound" });
  await expect(browser.list("app:1", "/etc/kept", { signal })).rejects.toThrow('"/etc/kept" is not a directory');
  await expect(browser.list("app:1", "/loop/x", { signal })).rejects.toThrow("more than 40 symbolic links");
  await expect(browser.read("app:1", "/etc", { signal })).rejects.toThrow('"/etc" is not a regular file');
  await expect(browser.read("app:1", "/pipe", { signal })).rejects.toMatchObject({ class: "invalidArgument" });
  await expect(browser.list("app:1", "/", { signal, layer: 3 })).rejects.toThrow("has 3 layers, none with the number 3");
  await expect(browser.list("none", "/", { signal })).rejects.toThrow("No such image: none:latest");
  // Never above the image's own root.
  expect((await buffer((await browser.read("app:1", "../../etc/kept", { signal })).bytes)).toString()).toBe("kept");
});

test.each(["gnu", "posix --sparse-version=0.1", "posix --sparse-version=1.0"])("a sparse file of GNU tar's format %s is read whole", async (format) => {
  const source = mkdtempSync(join(tmpdir(), "browse-"));
  try {
    mkdirSync(join(source, "in"));
    writeFileSync(join(source, "in/holes"), "start");
    truncateSync(join(source, "in/holes"), 700_000);
    execFileSync("sh", ["-c", 'printf end | dd of="$1" bs=1 seek=699997 conv=notrunc status=none', "sh", join(source, "in/holes")]);
    const tar = execFileSync("tar", ["--sparse", ...`--format=${format}`.split(" "), "-C", join(source, "in"), "-c", "."]);
    await using store = await openStore();
    const id = await store.images.import({ tar: Readable.from([tar]), config: {}, message: "", name: "app:1", signal });
    expect(id).toMatch(/^sha256:/);
    const { size, bytes } = await store.images.browser.read("app:1", "/holes", { signal });
    expect(size).toBe(700_000);
    expect((await buffer(bytes)).equals(readFileSync(join(source, "in/holes")))).toBe(true);
  } finally {
    rmSync(source, { recursive: true });
  }
});
