import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGzip, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Digest } from "#core/content/content.ts";
import { hostileSuite } from "#core/layers/hostile.suite.ts";
import { layersSuite } from "#core/layers/layers.suite.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import type { MountMethod } from "./layer-mounts.ts";
import { methods, openTestLayers, supported } from "./rig.ts";

const signal = new AbortController().signal;

function suites(name: string, method: MountMethod): void {
  layersSuite(name, () => openTestLayers(method));
  hostileSuite(name, () => openTestLayers(method));
}

if (supported.kind === "file") suites("EROFS by file", supported);
if (supported.kind !== "directories") suites("EROFS by loop", { kind: "loop" });
suites("directories", { kind: "directories" });

test("compressed blobs are told by their bytes; a plain one shares its file with the layer", async () => {
  await using opened = await openTestLayers();
  const tar = packTar([{ name: "a", body: Buffer.alloc(100_000, "x") }]);
  const diffId: Digest = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
  const blobs = { gzip: await Readable.from([tar]).pipe(createGzip()).toArray(), zstd: [zstdCompressSync(tar)], plain: [tar] };
  for (const [kind, chunks] of Object.entries(blobs)) {
    const path = join(opened.root, `blob-${kind}`);
    writeFileSync(path, Buffer.concat(chunks as Buffer[]));
    const heard: number[] = [];
    expect(await opened.layers.unpack({ path }, { expected: diffId, signal, onProgress: (bytes) => heard.push(bytes) })).toEqual({ diffId, size: tar.length });
    if (kind === "plain") expect(statSync(path).nlink).toBe(2);
    opened.layers.remove(diffId);
  }
});

test("a damaged gzip blob is the sender's fault; a cancelled unpack leaves nothing", async () => {
  await using opened = await openTestLayers();
  const tar = packTar([{ name: "a", body: Buffer.alloc(1_000_000, "x") }]);
  const expected: Digest = `sha256:${"0".repeat(64)}`;
  const path = join(opened.root, "blob");
  const gzip = Buffer.concat((await Readable.from([tar]).pipe(createGzip()).toArray()) as Buffer[]);
  writeFileSync(path, gzip.subarray(0, gzip.length - 20));
  await expect(opened.layers.unpack({ path }, { expected, signal })).rejects.toMatchObject({ class: "invalidArgument" });
  await expect(opened.layers.unpack({ path }, { expected, signal: AbortSignal.abort(new Error("no more")) })).rejects.toThrow("no more");
  expect(execFileSync("ls", ["--ignore=probe.*", join(opened.root, "layers")]).toString()).toBe("");
});

test("two pulls of one layer unpack it once", async () => {
  await using opened = await openTestLayers();
  const tar = packTar([{ name: "a", body: Buffer.alloc(1_000_000, "x") }]);
  const expected: Digest = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
  const path = join(opened.root, "blob");
  writeFileSync(path, tar);
  const both = await Promise.all([1, 2].map(() => opened.layers.unpack({ path }, { expected, signal })));
  expect(both).toEqual([
    { diffId: expected, size: tar.length },
    { diffId: expected, size: tar.length },
  ]);
});

test("a layer whose files lost bytes is gone at the next start, and half-made ones too", async () => {
  await using opened = await openTestLayers();
  const { diffId } = await opened.layers.ingest(Readable.from([packTar([{ name: "a", body: Buffer.from("x") }])]), { signal });
  const tar = join(opened.root, "layers", `${diffId.slice(7)}.tar`);
  linkSync(tar, join(opened.root, "layers", "unpack-left.tar"));
  await opened.reopen();
  expect(opened.layers.has(diffId)).toBe(true);
  writeFileSync(tar, "short");
  await opened.reopen();
  expect(opened.layers.has(diffId)).toBe(false);
  expect(execFileSync("ls", ["--ignore=probe.*", join(opened.root, "layers")]).toString()).toBe("");
});

test("a layer that was not yet on the disk when the machine went down is not trusted; in the same boot it is", async () => {
  await using opened = await openTestLayers();
  const { diffId } = await opened.layers.ingest(Readable.from([packTar([{ name: "a", body: Buffer.from("x") }])]), { signal });
  const record = join(opened.root, "layers", `${diffId.slice(7)}.json`);
  const written = JSON.parse(readFileSync(record, "utf8")) as object;
  expect(written).not.toHaveProperty("unsyncedIn");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  writeFileSync(record, JSON.stringify({ ...written, unsyncedIn: boot }));
  await opened.reopen();
  expect(opened.layers.has(diffId)).toBe(true);
  // Until its sync, begun at the start, is over.
  await opened.reopen();
  expect(JSON.parse(readFileSync(record, "utf8"))).toEqual(written);
  writeFileSync(record, JSON.stringify({ ...written, unsyncedIn: "another boot" }));
  await opened.reopen();
  expect(opened.layers.has(diffId)).toBe(false);
});

for (const method of methods) {
  test(`by ${method.kind}, what every root has is made once for an image, is in no root's own directory, and goes with a layer of the image`, async () => {
    const made: string[] = [];
    await using opened = await openTestLayers(method, (root) => {
      made.push(readFileSync(join(root, "etc/name"), "utf8"));
      writeFileSync(join(root, "etc/given"), "given");
    });
    const etc = { name: "etc/", type: "5", mode: 0o711, uid: 3, mtime: 1000 };
    const layerOf = async (name: string): Promise<Digest> =>
      (await opened.layers.ingest(Readable.from([packTar([etc, { name: "etc/name", body: Buffer.from(name) }])]), { signal })).diffId;
    const [first, second] = [await layerOf("first"), await layerOf("second")];
    for (const [id, layer] of [
      ["a", first],
      ["b", first],
      ["c", second],
    ] as const)
      await opened.snapshots.prepare(id, [layer]);
    for (const id of ["a", "b", "c"]) {
      const root = await opened.snapshots.mount(id);
      expect(readFileSync(join(root, "etc/given"), "utf8")).toBe("given");
      expect(statSync(join(root, "etc"))).toMatchObject({ mode: 0o40711, uid: 3 });
      expect(execFileSync("ls", [opened.snapshots.upperDir(id)]).toString()).toBe("");
    }
    expect(made).toEqual(["first", "second"]);
    rmSync(join(await opened.snapshots.mount("a"), "etc/given"));
    await opened.reopen();
    for (const id of ["a", "b"]) await opened.snapshots.unmount(id);
    expect(execFileSync("ls", [join(await opened.snapshots.mount("a"), "etc")]).toString()).toBe("name\n");
    expect(execFileSync("ls", [join(await opened.snapshots.mount("b"), "etc")]).toString()).toBe("given\nname\n");
    expect(made).toEqual(["first", "second"]);
    for (const id of ["a", "b"]) await opened.snapshots.remove(id);
    const outfits = (): number =>
      execFileSync("ls", [join(opened.root, "outfits")])
        .toString()
        .trim()
        .split("\n").length;
    expect(outfits()).toBe(2);
    opened.layers.remove(first);
    expect(outfits()).toBe(1);
  });
}
