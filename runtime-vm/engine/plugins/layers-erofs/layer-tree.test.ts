import { expect, test } from "vitest";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { packTar, type TarFile } from "#core/layers/tar-writer.ts";
import { encodeErofs } from "./erofs-image.ts";
import { isWhiteout } from "#core/layers/layer-entry.ts";
import { isDirectory, type LayerNode } from "./layer-node.ts";
import { LayerTree } from "./layer-tree.ts";

function treeOf(files: readonly TarFile[]): LayerTree {
  const tree = new LayerTree();
  new TarScanner({ entry: (entry) => tree.add(entry) }).push(packTar(files));
  return tree;
}

/** Paths with a mark: `/` directory, `!` opaque directory, `x` whiteout, `@` link. */
function paths(node: LayerNode, at = ""): string[] {
  return [...node.children!].flatMap(([name, child]) => {
    const path = `${at}${name}`;
    if (isDirectory(child)) return [path + (child.xattrs.has("trusted.overlay.opaque") ? "!" : "/"), ...paths(child, `${path}/`)];
    return [path + (isWhiteout(child) ? "x" : (child.mode & 0o170000) === 0o120000 ? "@" : "")];
  });
}

const file = (name: string, text = "x"): TarFile => ({ name, body: Buffer.from(text) });
const dir = (name: string): TarFile => ({ name, type: "5", mode: 0o700 });
const link = (name: string, linkName: string): TarFile => ({ name, type: "2", linkName });

test.each<[string, TarFile[], string[]]>([
  ["directories without an entry are made", [file("a/b/c")], ["a/", "a/b/", "a/b/c"]],
  ["whiteouts become devices", [file("d/.wh.gone")], ["d/", "d/gonex"]],
  ["a file of the layer wins over its own whiteout", [file(".wh.a"), file("a"), file("b"), file(".wh.b")], ["a", "b"]],
  ["a directory in the place of a removed one is opaque", [file(".wh.d"), dir("d"), dir("e"), file(".wh.e")], ["d!", "e!"]],
  ["an opaque mark stays when the directory's entry comes late", [file("d/.wh..wh..opq"), dir("d")], ["d!"]],
  ["aufs metadata is left out", [file(".wh..wh.aufs"), file(".wh..wh.plnk/x"), file("a")], [".wh..wh.plnk/", ".wh..wh.plnk/x", "a"]],
  [
    "links on the way are followed inside the tree",
    [dir("usr"), link("lib", "usr/lib"), file("lib/x"), link("up", "../.."), file("up/y")],
    ["usr/", "usr/lib/", "usr/lib/x", "lib@", "up@", "y"],
  ],
  ["a file takes the place of a directory", [file("d/x"), file("d")], ["d"]],
  ["a directory takes the place of a file", [file("d"), dir("d"), file("d/x")], ["d/", "d/x"]],
])("%s", (_, files, expected) => {
  expect(paths(treeOf(files).root)).toEqual(expected);
});

test("links are counted, and one that is replaced leaves the others", () => {
  const { root } = treeOf([file("a"), { name: "b", type: "1", linkName: "a" }, { name: "c", type: "1", linkName: "b" }, file("a", "new")]);
  expect(root.children.get("b")!.links).toBe(2);
  expect(root.children.get("b")).toBe(root.children.get("c"));
  expect(root.children.get("a")!.links).toBe(1);
});

test("the report counts inodes, pages and directories without an entry", () => {
  expect(treeOf([file("a/b", "x".repeat(5000)), { name: "a/c", type: "1", linkName: "a/b" }, dir("d")]).report()).toEqual({
    entries: 3,
    inodes: 4,
    unpackedBytes: (2 + 3) * 4096,
    implicitDirectories: ["a"],
  });
});

test("the overlay driver's own attributes and those Linux has no place for are left out", () => {
  const xattrs = new Map(
    ["trusted.overlay.redirect", "user.a", "security.capability", "com.apple.x", "system.nfs4_acl"].map((name) => [name, Buffer.from("v")]),
  );
  const { root } = treeOf([
    { ...file("a"), xattrs },
    { ...link("l", "x"), xattrs },
  ]);
  expect([...root.children.get("a")!.xattrs.keys()]).toEqual(["user.a", "security.capability"]);
  expect([...root.children.get("l")!.xattrs.keys()]).toEqual(["security.capability"]);
});

test("an image starts with EROFS's magic and holds every inode", () => {
  const tree = treeOf([file("a"), dir("d"), ...Array.from({ length: 500 }, (_, i) => file(`d/${"n".repeat(i % 200)}${i}`))]);
  const image = encodeErofs(tree.root, 4096);
  expect(image.readUInt32LE(1024)).toBe(0xe0f5e1e2);
  expect(Number(image.readBigUInt64LE(1024 + 16))).toBe(tree.report().inodes);
  expect(image.length % 512).toBe(0);
});
