import { expect, test } from "vitest";
import type { Digest } from "../content/content.ts";
import { kinds, type LayerEntry } from "../layers/layer-entry.ts";
import { layersOf } from "./origins.ts";

const plain = { uid: 0, gid: 0, mtime: 0, mtimeNano: 0, xattrs: new Map(), size: 0, dataOffset: 0, storedBytes: 0, target: "", device: { major: 0, minor: 0 } };
const file: LayerEntry = { ...plain, mode: kinds.file | 0o644 };
const removed: LayerEntry = { ...plain, mode: kinds.char };
const directory = (children: Readonly<Record<string, LayerEntry>>): LayerEntry => ({
  ...plain,
  mode: kinds.directory | 0o755,
  children: new Map(Object.entries(children)),
});

/** Layers by their names, lowest first; and which of them were read. */
function layers(trees: Readonly<Record<string, LayerEntry>>): { layersOf: (...paths: string[]) => Promise<Record<string, string>>; read: string[] } {
  const read: string[] = [];
  const layerTree = (diffId: Digest): Promise<LayerEntry> => {
    read.push(diffId.slice("sha256:".length));
    return Promise.resolve(trees[diffId.slice("sha256:".length)] ?? directory({}));
  };
  const diffIds = Object.keys(trees).map((name): Digest => `sha256:${name}`);
  const signal = new AbortController().signal;
  return { layersOf: async (...paths) => Object.fromEntries(await layersOf({ layerTree }, { diffIds, paths, signal })), read };
}

test("a file is of the uppermost layer that has it, however it is named, and a removal is none", async () => {
  const trees = {
    low: directory({ etc: directory({ passwd: file, "g\u00c3\u00b6": file }), gone: file }),
    high: directory({ etc: directory({ passwd: file }), gone: removed }),
  };
  const found = await layers(trees).layersOf("etc/passwd", "etc/g\u00f6", "gone", "nowhere");
  expect(found).toEqual({ "etc/passwd": "sha256:high", "etc/g\u00f6": "sha256:low", gone: "sha256:low" });
});

test("a layer is read once for all files, and not at all when those above have them", async () => {
  const { layersOf: of, read } = layers({ a: directory({ x: file }), b: directory({ y: file, z: file }), c: directory({ w: file }) });
  expect(await of("y", "z", "w")).toEqual({ y: "sha256:b", z: "sha256:b", w: "sha256:c" });
  expect(read).toEqual(["c", "b"]);
});
