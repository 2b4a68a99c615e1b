import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type Grown, GrowthLost } from "#core/layers/layers.ts";
import { digestOf, file } from "#core/layers/layers.rig.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { LayerMounts } from "./layer-mounts.ts";
import { ErofsLayerStore } from "./layer-store.ts";
import { kernel } from "./rig.ts";
import { UnpackPool } from "./unpack-pool.ts";
import { ThreadLost } from "./unpack-thread.ts";
import type { Unpacked } from "./unpack.worker.ts";

/** Its shared threads are all lost. */
class LosingPool extends UnpackPool {
  override async run(...[request, opts, thread]: Parameters<UnpackPool["run"]>): Promise<Unpacked> {
    if (thread?.alone === true) return await super.run(request, opts, thread);
    writeFileSync(request.tar!, "half of it", { flag: "wx" });
    throw new ThreadLost("internal", "out of memory");
  }
}

test("a layer whose thread was lost by another one's fault is unpacked on a thread of its own; what still grows, once it is whole", async () => {
  const root = mkdtempSync(join(tmpdir(), "layer-store-"));
  const layers = join(root, "layers");
  mkdirSync(layers);
  await using pool = new LosingPool({ layersMax: 3, threadsMax: 1 }, () => {});
  const trash = openTrash(join(root, "trash"), () => {});
  const mounts = new LayerMounts(kernel, join(root, "run"), { kind: "directories" });
  const standing = () => ({ roots: [], rootMounts: [] });
  const store = new ErofsLayerStore({ layers, trash, kernel, pool, mounts, log: () => {}, userOf: () => undefined, standing, dropped: () => {} });
  const tar = packTar([file("a", "text")]);
  const path = join(root, "blob");
  writeFileSync(path, gzipSync(tar));
  const opts = { expected: digestOf(tar), signal: new AbortController().signal };
  async function* growth(): AsyncIterable<Grown> {
    yield await Promise.resolve({ readable: 10 });
  }
  await expect(store.unpack({ path, growth: growth() }, opts)).rejects.toBeInstanceOf(GrowthLost);
  expect(readdirSync(layers)).toEqual([]);
  expect(await store.unpack({ path }, opts)).toEqual({ diffId: digestOf(tar), size: tar.length });
  expect(store.has(digestOf(tar))).toBe(true);
  await store[Symbol.asyncDispose]();
  await trash.drained();
  rmSync(root, { recursive: true });
});
