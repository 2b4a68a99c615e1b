import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openStore } from "./rig.ts";
import { dockerArchive, makeImage, sha256 } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;
const image = makeImage([[{ name: "a", body: Buffer.from("a") }], [{ name: "b", body: Buffer.from("b") }]]);
const layer = image.layers[0]!;

async function open(): Promise<TestStore> {
  const store = await openStore();
  await said(store.images.load(Readable.from([dockerArchive(image, ["app:1", "app:2"])]), { signal }));
  return store;
}

test("a sound store is called sound", async () => {
  await using store = await open();
  await store.snapshots.prepare("box", (await store.images.resolve("app:1")).layers);
  await store.snapshots.mount("box");
  const { Checked: checked, Problems: problems } = await store.images.check({ signal });
  expect(problems).toEqual([]);
  expect(checked).toMatchObject({ Images: 2, Blobs: 4, Layers: 2 });
  createKernel().umount(join(store.root, "snapshots/box/merged"), 2);
  expect((await store.images.check({ signal })).Problems).toEqual([{ Object: "root box", Problem: "should be mounted, and is not" }]);
});

const blob = (store: TestStore, digest: string): string => join(store.root, "content/blobs/sha256", digest.slice(7));

test.each([
  [
    "a blob with a byte too many",
    (store: TestStore) => appendFileSync(blob(store, sha256(layer.blob)), "x"),
    `blob ${sha256(layer.blob)}`,
    "its bytes have digest",
  ],
  [
    "a blob with another byte",
    (store: TestStore) => writeFileSync(blob(store, sha256(layer.blob)), Buffer.alloc(layer.blob.length)),
    `blob ${sha256(layer.blob)}`,
    "its bytes have digest",
  ],
  ["a blob that is gone", (store: TestStore) => rmSync(blob(store, sha256(layer.blob))), "app:1", `${sha256(layer.blob)} of it is not`],
  [
    "a layer's tar that is damaged",
    (store: TestStore) => writeFileSync(join(store.root, "layers", `${sha256(layer.tar).slice(7)}.tar`), Buffer.alloc(layer.tar.length)),
    `layer ${sha256(layer.tar)}`,
    "its bytes have digest",
  ],
  [
    "a layer whose index lost bytes",
    (store: TestStore) =>
      writeFileSync(join(store.root, "layers", `${sha256(layer.tar).slice(7)}.${store.layers.method === "directories" ? "tar" : "erofs"}`), ""),
    `layer ${sha256(layer.tar)}`,
    "not as long as its record says",
  ],
  [
    "a layout that lists something else",
    (store: TestStore) => {
      const path = join(store.root, "content/index.json");
      writeFileSync(path, readFileSync(path, "utf8").replace('"app:2"', '"app:3"'));
    },
    "index.json",
    "does not list",
  ],
])("%s is found", async (_, damage, object, problem) => {
  await using store = await open();
  damage(store);
  const { Problems: problems } = await store.images.check({ signal });
  expect(problems).toContainEqual({ Object: object, Problem: expect.stringContaining(problem) as string });
});
