import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kernel, methods, openTestLayers } from "./rig.ts";

const signal = new AbortController().signal;

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
      await using opened = await openTestLayers(method);
      const tree = packedTree(format);
      const { diffId } = await opened.layers.ingest(createReadStream(tree.tar), { signal });
      await opened.snapshots.prepare("box", [diffId]);
      const root = await opened.snapshots.mount("box");
      const digits = method.kind === "directories" ? 4 : 9;
      expect(listing(root, digits)).toEqual(listing(tree.extracted, digits));
      if (format === "posix") {
        expect(kernel.getxattrs(join(root, "usr/bin/tool")).get("user.color")).toEqual(Buffer.from("blue"));
        expect(kernel.getxattrs(join(root, "usr")).has("trusted.note")).toBe(false);
      }
      tree.remove();
    });
  }

  test.each(["gnu", "posix --sparse-version=0.0", "posix --sparse-version=0.1", "posix --sparse-version=1.0"])(
    `by ${method.kind}, sparse files of GNU tar's format %s are whole`,
    async (format) => {
      await using opened = await openTestLayers(method);
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
