import { expect, test } from "vitest";
import { type CopyRequest, planCopy } from "./copy.ts";
import { madeMode, parseMode } from "./mode.ts";
import { type FileTree, nameOf, parentOf, type TreeEntry } from "./tree.ts";

/** Directories end with a slash. */
function treeOf(...paths: readonly string[]): FileTree {
  const entries = paths.map((given): TreeEntry => {
    const directory = given.endsWith("/");
    const path = directory ? given.slice(0, -1) : given;
    return { path, type: directory ? "directory" : "file", mode: directory ? 0o755 : 0o644, uid: 0, gid: 0, size: 0, mtime: 0 };
  });
  return {
    lstat: (path) => (path === "" ? treeOf("./").lstat(".") : entries.find((entry) => entry.path === path)),
    names: (path) => entries.filter((entry) => parentOf(entry.path) === path).map((entry) => nameOf(entry.path)),
    read: async function* () {},
    digest: () => Promise.resolve(""),
  };
}

function planned(pattern: string, more: Partial<CopyRequest> = {}): string[] {
  const tree = treeOf("a.txt", "d/", "d/f");
  const sources = [{ kind: "path" as const, tree, pattern, ownOwner: false }];
  const given = { sources, destination: "/x/y/", root: treeOf("x/"), owner: undefined, chmod: undefined, parents: false, excludes: [], now: 1 };
  return planCopy({ ...given, ...more }).map(({ entry }) => `${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.path}`);
}

test("a wildcard that nothing matches copies nothing and makes no directory", () => {
  expect(planned("*.none")).toEqual([]);
  expect(planned("d/*.none")).toEqual([]);
});

test("the directory before a wildcard has to be there, and so has a name without one", () => {
  expect(() => planned("nodir/*.none")).toThrow("lstat /nodir: no such file or directory");
  expect(() => planned("none")).toThrow('"/none": not found');
});

test("directories that are made have the owner and the octal mode, those of the root stay", () => {
  const owner = { uid: 5, gid: 6 };
  expect(planned("a.txt", { owner, chmod: parseMode("600"), madeMode: madeMode("600") })).toEqual(["755 0:0 x", "600 5:6 x/y", "600 5:6 x/y/a.txt"]);
});

test("symbols change the mode of files, not of directories that are made", () => {
  expect(planned("a.txt", { chmod: parseMode("go=u"), madeMode: madeMode("go=u") })).toEqual(["755 0:0 x", "755 0:0 x/y", "666 0:0 x/y/a.txt"]);
});

test("on an empty root every directory on the way is made with the owner", () => {
  expect(planned("a.txt", { owner: { uid: 5, gid: 6 }, root: treeOf() })).toEqual(["755 5:6 x", "755 5:6 x/y", "644 5:6 x/y/a.txt"]);
});
