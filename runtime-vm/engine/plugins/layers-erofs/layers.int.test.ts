import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGzip, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Digest } from "#core/content/content.ts";
import { layersSuite, type OpenedLayerStore } from "#core/layers/layers.suite.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { openLayers } from "./layers.ts";
import type { MountMethod } from "./layer-mounts.ts";
import { probeMounts } from "./probe.ts";

const kernel = createKernel();
const signal = new AbortController().signal;
const supported = probed();

function probed(): MountMethod {
  const root = mkdtempSync(join(tmpdir(), "layers-probe-"));
  try {
    mkdirSync(join(root, "run"));
    return probeMounts(kernel, root, join(root, "run"), () => {});
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function open(method?: MountMethod, outfit?: (root: string) => void): Promise<OpenedLayerStore & { readonly root: string }> {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  const paths = { layers: join(root, "layers"), snapshots: join(root, "snapshots"), layerMounts: join(root, "run"), outfits: join(root, "outfits") };
  const trash = openTrash(join(root, "trash"), () => {});
  const start = () =>
    openLayers({ paths, trash, kernel, log: () => {}, ...(method === undefined ? {} : { method }), ...(outfit === undefined ? {} : { outfit }) });
  let opened = start();
  return {
    root,
    get layers() {
      return opened.layers;
    },
    get snapshots() {
      return opened.snapshots;
    },
    mounts: () => kernel.mountsUnder(root),
    reopen: async () => {
      await opened[Symbol.asyncDispose]();
      opened = start();
    },
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      for (const mount of kernel.mountsUnder(root)) kernel.umount(mount, 2);
      await trash.drained();
      rmSync(root, { recursive: true });
    },
  };
}

if (supported.kind === "file") layersSuite("EROFS by file", () => open(supported));
if (supported.kind !== "directories") layersSuite("EROFS by loop", () => open({ kind: "loop" }));
layersSuite("directories", () => open({ kind: "directories" }));

const methods: MountMethod[] = supported.kind === "directories" ? [{ kind: "directories" }] : [supported, { kind: "directories" }];

/** What find(1) and getfattr-like code see of a tree: the listing of a root and of GNU tar's own extraction must be the same. */
function listing(root: string, timeDigits = 9): string[] {
  const lines = execFileSync("find", [".", "-mindepth", "1", "-printf", "%P|%y|%m|%U:%G|%n|%T@|%l\n"], { cwd: root, maxBuffer: 1 << 28 })
    .toString("latin1")
    .trimEnd()
    .split("\n");
  // Node sets times as doubles, which are good to some 200 ns.
  const rounded = lines.map((line) => (timeDigits === 9 ? line : line.replace(/\|(\d+\.\d+)\|/, (_, time: string) => `|${Number(time).toFixed(timeDigits)}|`)));
  return rounded
    .toSorted()
    .map((line) => (line.split("|")[1] === "f" ? `${line}|${sha(join(root, Buffer.from(line.split("|")[0]!, "latin1").toString("utf8")))}` : line));
}

const sha = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A tree with everything a layer can hold, packed by GNU tar itself. */
function packedTree(format: "posix" | "gnu"): { tar: string; extracted: string; remove(): void } {
  const base = mkdtempSync(join(tmpdir(), "layers-tree-"));
  const tree = join(base, "tree");
  execFileSync("sh", [
    "-ec",
    `
    mkdir -p ${tree}/usr/bin ${tree}/many ${tree}/empty; cd ${tree}
    printf abc > usr/bin/tool; chmod 6755 usr/bin/tool; chown 12:34 usr/bin/tool; ln usr/bin/tool usr/bin/again
    ln -s ../../etc usr/bin/link; ln -s ${"y".repeat(3000)} longlink; mkfifo pipe; mknod null c 1 3; mknod disk b 8 17
    touch -d '2001-02-03 04:05:06.789' usr/bin/tool; : > zero; head -c 3000001 /dev/urandom > big
    printf name > "$(printf 'with \\303\\244 and space')"; mkdir -p ${"deep/".repeat(60)}; printf x > ${"deep/".repeat(60)}${"z".repeat(200)}
    i=0; while [ $i -lt 3000 ]; do : > many/$i; i=$((i+1)); done
  `,
  ]);
  kernel.setxattr(join(tree, "usr/bin/tool"), "user.color", Buffer.from("blue"));
  kernel.setxattr(join(tree, "usr"), "trusted.note", Buffer.from([0, 1, 2, 255]));
  const tar = join(base, "layer.tar");
  execFileSync("tar", [`--format=${format}`, ...(format === "posix" ? ["--xattrs", "--xattrs-include=*"] : []), "-C", tree, "-cf", tar, "."]);
  const extracted = join(base, "extracted");
  mkdirSync(extracted);
  execFileSync("tar", ["--xattrs", "--xattrs-include=*", "--same-owner", "-p", "-C", extracted, "-xf", tar]);
  return { tar, extracted, remove: () => rmSync(base, { recursive: true }) };
}

for (const method of methods) {
  for (const format of ["posix", "gnu"] as const) {
    test(`by ${method.kind}, a mounted root lists exactly what GNU tar's ${format} archive holds`, async () => {
      await using opened = await open(method);
      const tree = packedTree(format);
      const { diffId } = await opened.layers.ingest(createReadStream(tree.tar), { signal });
      await opened.snapshots.prepare("box", [diffId]);
      const root = await opened.snapshots.mount("box");
      const digits = method.kind === "directories" ? 4 : 9;
      expect(listing(root, digits)).toEqual(listing(tree.extracted, digits));
      if (format === "posix") {
        expect(kernel.getxattrs(join(root, "usr/bin/tool")).get("user.color")).toEqual(Buffer.from("blue"));
        expect(kernel.getxattrs(join(root, "usr")).get("trusted.note")).toEqual(Buffer.from([0, 1, 2, 255]));
      }
      tree.remove();
    });
  }

  test.each(["gnu", "posix --sparse-version=0.0", "posix --sparse-version=0.1", "posix --sparse-version=1.0"])(
    `by ${method.kind}, sparse files of GNU tar's format %s are whole`,
    async (format) => {
      await using opened = await open(method);
      const base = mkdtempSync(join(tmpdir(), "layers-sparse-"));
      execFileSync("sh", [
        "-ec",
        `cd ${base}; mkdir tree; truncate -s 9M tree/holes; for k in 0 1 2 3 4 5 6 7 8; do printf "part $k" | dd of=tree/holes bs=1 seek=$((k * 1000000)) conv=notrunc status=none; done
        printf after > tree/z; tar --format=${format} --sparse -C tree -cf layer.tar .`,
      ]);
      const { diffId } = await opened.layers.ingest(createReadStream(join(base, "layer.tar")), { signal });
      await opened.snapshots.prepare("box", [diffId]);
      const root = await opened.snapshots.mount("box");
      expect(sha(join(root, "holes"))).toBe(sha(join(base, "tree/holes")));
      expect(readFileSync(join(root, "z"), "utf8")).toBe("after");
      expect(statSync(join(base, "layer.tar")).size).toBeLessThan(1_000_000);
      rmSync(base, { recursive: true });
    },
  );
}

test("compressed blobs are told by their bytes; a plain one shares its file with the layer", async () => {
  await using opened = await open();
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
  await using opened = await open();
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
  await using opened = await open();
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
  await using opened = await open();
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
  await using opened = await open();
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
    await using opened = await open(method, (root) => {
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
