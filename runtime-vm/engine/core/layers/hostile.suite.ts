import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { dir, file, type OpenedLayerStore, rootOf, symlink } from "./layers.rig.ts";
import { packTar, tarHead } from "./tar-writer.ts";

const signal = new AbortController().signal;

/** A header with these bytes as its size field. */
function sizeOf(field: Buffer): Buffer {
  const block = tarHead({ name: "a" }, 0);
  field.copy(block, 124);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Archives that want out of their root, or that no honest tool writes: the right result or a clear refusal. Needs root. */
export function hostileSuite(name: string, open: () => Promise<OpenedLayerStore>): void {
  const withRoot = rootOf(open);

  test(`${name}: hostile paths stay inside the root`, async () => {
    const outside = "/tmp/slipway-escape";
    rmSync(outside, { recursive: true, force: true });
    const files = [
      file("../../../../../../../tmp/slipway-escape", "dots"),
      file("/abs", "absolute"),
      symlink("out", "/tmp"),
      file("out/slipway-escape-2", "through a link"),
      symlink("up", "../../../.."),
      file("up/climbed", "x"),
      { name: "stolen", type: "1", linkName: "out/slipway-escape-2" },
    ];
    await withRoot([files], (root) => {
      expect(readFileSync(join(root, "tmp/slipway-escape"), "utf8")).toBe("dots");
      expect(readFileSync(join(root, "abs"), "utf8")).toBe("absolute");
      expect(readFileSync(join(root, "tmp/slipway-escape-2"), "utf8")).toBe("through a link");
      expect(readFileSync(join(root, "stolen"), "utf8")).toBe("through a link");
      expect(readFileSync(join(root, "climbed"), "utf8")).toBe("x");
    });
    expect(() => lstatSync(outside)).toThrow();
    expect(() => lstatSync("/tmp/slipway-escape-2")).toThrow();
  });

  test.each([
    ["a hard link out of the layer", packTar([{ name: "passwd", type: "1", linkName: "/etc/passwd" }])],
    ["a file below a file", packTar([file("a", "x"), file("a/b", "y")])],
    ["links in a circle", packTar([symlink("a", "b"), symlink("b", "a"), file("a/x", "y")])],
    ["a whiteout of the parent", packTar([dir("d"), file("d/.wh...", "")])],
    ["an unknown type", packTar([{ name: "v", type: "V" }])],
    ["a file where the root should be", packTar([file("./", "x")])],
    ["a name longer than any file system takes", packTar([file("n".repeat(256), "x")])],
    ["a path longer than Linux takes", packTar([file("d/".repeat(2_100), "x")])],
    ["a path of a hundred thousand names", packTar([file("d/".repeat(100_000), "x")])],
    ["a link to a path longer than Linux takes", packTar([symlink("a", "b".repeat(5_000))])],
    ["a size of eight gigabytes over a few bytes", Buffer.concat([tarHead({ name: "a" }, 0o77777777777), Buffer.alloc(512)])],
    ["a size past all numbers", Buffer.concat([sizeOf(Buffer.from([0xff, ...Array<number>(11).fill(0x7f)])), Buffer.alloc(512)])],
    ["an archive cut in a file", packTar([file("a", "x".repeat(5000))]).subarray(0, 2000)],
    ["an archive cut in a header", packTar([file("a", "x"), file("b", "x")]).subarray(0, 1200)],
    ["a damaged header", Buffer.concat([Buffer.alloc(512, "x"), packTar([])])],
    ["no tar at all", Buffer.from("this is not a tar, just a line of text")],
  ])(`${name}: %s is refused and leaves nothing`, async (_, tar) => {
    await using opened = await open();
    await expect(opened.layers.ingest(Readable.from([tar]), { signal })).rejects.toMatchObject({ class: "invalidArgument" });
    expect(opened.layers.list()).toEqual([]);
  });

  test(`${name}: the last of entries under one name counts, and long paths are kept`, async () => {
    const deep = `${"deep/".repeat(600)}end`;
    await withRoot([[file("twice", "first"), dir("d"), file("d/x", "x"), file("twice", "second"), symlink("d", "elsewhere"), file(deep, "down")]], (root) => {
      expect(readFileSync(join(root, "twice"), "utf8")).toBe("second");
      expect(lstatSync(join(root, "d")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(root, deep), "utf8")).toBe("down");
    });
  });

  test(`${name}: marks of every kind take away what they name, and are not there themselves`, async () => {
    const lower = [dir("d"), file("d/a", "x"), dir("d/sub"), file("d/sub/deep", "x"), symlink("link", "d"), file("both", "lower"), { name: "pipe", type: "6" }];
    const upper = [
      file("d/.wh.a", ""),
      file("d/.wh.sub", ""),
      file(".wh.link", ""),
      file(".wh.pipe", ""),
      // Of the same layer, whichever comes first: what is there counts.
      file(".wh.both", ""),
      file("both", "upper"),
      file(".wh.never-there", ""),
      // aufs's own, which say nothing of names; what is below one is a file as any other, as containerd has it.
      file(".wh..wh.aufs", ""),
      dir(".wh..wh.plnk"),
      file(".wh..wh.plnk/1.2", "x"),
      dir("new"),
      file("new/.wh..wh..opq", ""),
    ];
    await withRoot([lower, upper], (root) => {
      expect(readdirSync(root).toSorted()).toEqual([".wh..wh.plnk", "both", "d", "new"]);
      expect(readdirSync(join(root, "d"))).toEqual([]);
      expect(readdirSync(join(root, "new"))).toEqual([]);
      expect(readFileSync(join(root, "both"), "utf8")).toBe("upper");
    });
  });

  test(`${name}: an archive without entries, or of nothing at all, is an empty layer`, async () => {
    await withRoot([[]], (root) => expect(readdirSync(root)).toEqual([]));
    await using opened = await open();
    const { diffId, size } = await opened.layers.ingest(Readable.from([]), { signal });
    expect(size).toBe(0);
    await opened.snapshots.prepare("box", [diffId]);
    expect(readdirSync(await opened.snapshots.mount("box"))).toEqual([]);
  });
}
