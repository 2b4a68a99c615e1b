import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { digestOf, dir, file, type OpenedLayerStore, rootOf, symlink } from "./layers.rig.ts";
import { packTar } from "./tar-writer.ts";

const signal = new AbortController().signal;

/** What every LayerStore with its Snapshotter must do, however it mounts. Needs root. */
export function layersSuite(name: string, open: () => Promise<OpenedLayerStore>): void {
  const withRoot = rootOf(open);

  test(`${name}: a root shows its layers, upper over lower, and takes writes that the layers do not see`, async () => {
    await withRoot(
      [
        [dir("etc"), file("etc/a", "lower"), file("etc/b", "lower")],
        [dir("etc"), file("etc/b", "upper")],
      ],
      async (root, { layers, snapshots }) => {
        expect(readFileSync(join(root, "etc/a"), "utf8")).toBe("lower");
        expect(readFileSync(join(root, "etc/b"), "utf8")).toBe("upper");
        writeFileSync(join(root, "etc/a"), "written");
        await snapshots.prepare("second", layers.list());
        expect(readFileSync(join(await snapshots.mount("second"), "etc/a"), "utf8")).toBe("lower");
        expect(readdirSync(join(snapshots.upperDir("box"), "etc"))).toEqual(["a"]);
        expect(await snapshots.usage("box")).toBeGreaterThan(0);
      },
    );
  });

  test(`${name}: removed names and replaced directories of a lower layer do not show`, async () => {
    const lower = [dir("d"), file("d/gone", "x"), file("d/stays", "x"), dir("o"), file("o/hidden", "x"), dir("r"), file("r/hidden", "x")];
    const upper = [dir("d"), file("d/.wh.gone", ""), dir("o"), file("o/.wh..wh..opq", ""), file("o/new", "x"), file(".wh.r", ""), dir("r"), file("r/new", "x")];
    await withRoot([lower, upper], (root) => {
      expect(readdirSync(join(root, "d"))).toEqual(["stays"]);
      expect(readdirSync(join(root, "o"))).toEqual(["new"]);
      expect(readdirSync(join(root, "r"))).toEqual(["new"]);
    });
  });

  test(`${name}: a directory that a layer uses without describing it keeps what a lower layer says of it`, async () => {
    const lower = [
      dir("tmp", { mode: 0o1777, uid: 5, gid: 6, mtime: 1000 }),
      dir("a"),
      dir("a/b", { mode: 0o700 }),
      symlink("etc", "/tmp"),
      dir("own", { mode: 0o700 }),
    ];
    const upper = [file("tmp/x", "x"), file("a/b/y", "y"), file("new/z", "z"), file("etc/w", "w"), dir("own", { mode: 0o711 }), file("own/v", "v")];
    await withRoot([lower, upper, [file("tmp/again", "x")]], (root) => {
      const mode = (path: string) => (lstatSync(join(root, path)).mode & 0o7777).toString(8);
      expect([mode("tmp"), mode("a/b"), mode("new"), mode("etc"), mode("own")]).toEqual(["1777", "700", "755", "755", "711"]);
      expect(lstatSync(join(root, "tmp"))).toMatchObject({ uid: 5, gid: 6, mtimeMs: 1_000_000 });
      expect(readdirSync(join(root, "tmp"))).toEqual(["again", "x"]);
    });
  });

  test(`${name}: owners, permissions, times, links and devices are those of the tar`, async () => {
    const files = [
      dir("bin", { mode: 0o1777, uid: 3, gid: 4, mtime: 1_000_000 }),
      file("bin/su", "su", { mode: 0o4755, uid: 1000, gid: 3_000_000, mtime: 1_234_567.5 }),
      { name: "bin/hard", type: "1", linkName: "bin/su" },
      symlink("bin/soft", "../etc/nowhere"),
      { name: "bin/null", type: "3", devMajor: 1, devMinor: 3, mode: 0o666 },
      { name: "bin/disk", type: "4", devMajor: 259, devMinor: 300, mode: 0o600 },
      { name: "bin/pipe", type: "6", mode: 0o620, uid: 7 },
      file(`${"long".repeat(40)}`, "long"),
    ];
    await withRoot([files], (root) => {
      const at = (path: string) => lstatSync(join(root, path));
      expect(at("bin")).toMatchObject({ mode: 0o41777, uid: 3, gid: 4, mtimeMs: 1_000_000_000 });
      expect(at("bin/su")).toMatchObject({ mode: 0o104755, uid: 1000, gid: 3_000_000, mtimeMs: 1_234_567_500, nlink: 2 });
      expect(at("bin/hard").ino).toBe(at("bin/su").ino);
      expect(readlinkSync(join(root, "bin/soft"))).toBe("../etc/nowhere");
      expect(at("bin/null")).toMatchObject({ mode: 0o20666, rdev: 0x103 });
      expect(at("bin/disk")).toMatchObject({ mode: 0o60600, rdev: (259 << 8) | (300 & 0xff) | ((300 & ~0xff) << 12) });
      expect(at("bin/pipe")).toMatchObject({ mode: 0o10620, uid: 7 });
      expect(readFileSync(join(root, "long".repeat(40)), "utf8")).toBe("long");
    });
  });

  test(`${name}: a tar with another digest than promised is refused`, async () => {
    await using opened = await open();
    const tar = packTar([file("a", "x")]);
    await expect(opened.layers.ingest(Readable.from([tar]), { expected: digestOf(Buffer.from("other")), signal })).rejects.toMatchObject({
      class: "invalidArgument",
    });
    await opened.layers.ingest(Readable.from([tar]), { expected: digestOf(tar), signal });
    expect(opened.layers.has(digestOf(tar))).toBe(true);
    expect(opened.layers.size(digestOf(tar))).toBe(tar.length);
    expect(await buffer(opened.layers.openTar(digestOf(tar)))).toEqual(tar);
  });

  test(`${name}: a plain tar whose digest is known gives the same layer, and is refused like any other`, async () => {
    await using opened = await open();
    const path = join(opened.root, "layer.tar");
    const unpack = (tar: Buffer) => {
      // The layer keeps the file that had this name.
      rmSync(path, { force: true });
      writeFileSync(path, tar);
      return opened.layers.unpack({ path, digest: digestOf(tar) }, { expected: digestOf(tar), signal });
    };
    const files = [file("big", "x".repeat(300_000)), ...Array.from({ length: 300 }, (_, i) => file(`many/${i}`, "y".repeat(i * 7))), symlink("l", "big")];
    const tar = packTar(files);
    expect(await unpack(tar)).toEqual({ diffId: digestOf(tar), size: tar.length });
    await opened.snapshots.prepare("box", [digestOf(tar)]);
    const root = await opened.snapshots.mount("box");
    expect(readFileSync(join(root, "l"), "utf8")).toBe("x".repeat(300_000));
    expect(readFileSync(join(root, "many/299"), "utf8")).toBe("y".repeat(299 * 7));
    expect(await buffer(opened.layers.openTar(digestOf(tar)))).toEqual(tar);
    for (const cut of [200_000, tar.length - 100_000, 700]) await expect(unpack(tar.subarray(0, cut))).rejects.toMatchObject({ class: "invalidArgument" });
    await expect(unpack(packTar([file("a", "x"), file("a/b", "y")]))).rejects.toMatchObject({ class: "invalidArgument" });
    expect(opened.layers.list()).toHaveLength(1);
  });

  test(`${name}: a layer in use cannot be removed, afterwards it can`, async () => {
    await withRoot([[file("a", "x")]], async (_, { layers, snapshots }) => {
      const [diffId] = layers.list();
      expect(() => layers.remove(diffId!)).toThrow(expect.objectContaining({ class: "conflict" }));
      await snapshots.unmount("box");
      expect(() => layers.remove(diffId!)).toThrow(expect.objectContaining({ class: "conflict" }));
      await snapshots.remove("box");
      layers.remove(diffId!);
      expect(layers.has(diffId!)).toBe(false);
    });
  });

  test(`${name}: an engine that starts again finds its mounted roots, and their end leaves no mount`, async () => {
    await withRoot([[file("a", "x")], [file("b", "y")]], async (root, opened) => {
      const [first, second] = opened.layers.list();
      await opened.snapshots.prepare("other", [first!]);
      await opened.snapshots.mount("other");
      await opened.reopen();
      const { layers, snapshots } = opened;
      expect([...snapshots.list()].toSorted()).toEqual(["box", "other"]);
      expect(await snapshots.mount("box")).toBe(root);
      expect(readFileSync(join(root, "b"), "utf8")).toBe("y");
      await snapshots.remove("box");
      await snapshots.remove("box");
      layers.remove(second!);
      expect(readFileSync(join(await snapshots.mount("other"), "a"), "utf8")).toBe("x");
      await snapshots.unmount("other");
      await snapshots.unmount("other");
      expect(opened.mounts().filter((path) => path.endsWith("/merged"))).toEqual([]);
      await snapshots.remove("other");
      layers.remove(first!);
      expect(opened.mounts()).toEqual([]);
      await expect(snapshots.mount("box")).rejects.toMatchObject({ class: "notFound" });
    });
  });

  test(`${name}: what was written survives unmounting and mounting again`, async () => {
    await withRoot([[file("a", "x")]], async (root, { snapshots }) => {
      writeFileSync(join(root, "a"), "changed");
      await snapshots.unmount("box");
      expect(readFileSync(join(await snapshots.mount("box"), "a"), "utf8")).toBe("changed");
    });
  });

  test(`${name}: a transient root is like any other while it is there, and leaves no mount`, async () => {
    await withRoot([[file("a", "x")]], async (_, { layers, snapshots, mounts }) => {
      await snapshots.prepare("soon-gone", layers.list(), { transient: true });
      const root = await snapshots.mount("soon-gone");
      expect(await snapshots.mount("soon-gone")).toBe(root);
      writeFileSync(join(root, "a"), "changed");
      expect(readFileSync(join(snapshots.upperDir("soon-gone"), "a"), "utf8")).toBe("changed");
      await snapshots.remove("soon-gone");
      expect(mounts().filter((path) => path.includes("soon-gone"))).toEqual([]);
      expect(snapshots.list()).toEqual(["box"]);
      const unknown = digestOf(Buffer.from("nothing"));
      await expect(snapshots.prepare("other", [unknown], { transient: true })).rejects.toMatchObject({ class: "notFound" });
    });
  });

  test(`${name}: an image without layers has an empty root; the same layer twice is one`, async () => {
    await withRoot([], (root) => expect(readdirSync(root)).toEqual([]));
    await withRoot([[file("a", "x")], [file(".wh.a", "")], [file("a", "x")]], (root) => expect(readdirSync(root)).toEqual(["a"]));
  });

  test(`${name}: 200 layers make one root`, async () => {
    const layers = Array.from({ length: 200 }, (_, i) => [file(`f${i}`, "x")]);
    await withRoot(layers, (root) => expect(readdirSync(root)).toHaveLength(200));
  });

  test(`${name}: a snapshot of layers that are not here, or twice under one id, is refused`, async () => {
    await using opened = await open();
    await expect(opened.snapshots.prepare("x", [digestOf(Buffer.from("nothing"))])).rejects.toMatchObject({ class: "notFound" });
    await opened.snapshots.prepare("x", []);
    await expect(opened.snapshots.prepare("x", [])).rejects.toMatchObject({ class: "conflict" });
    await expect(opened.snapshots.prepare("../x", [])).rejects.toMatchObject({ class: "invalidArgument" });
  });
}
