import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contentStoreSuite, type OpenedContent } from "#core/content/content.suite.ts";
import { openContent } from "./layout.ts";
import { rmSync } from "node:fs";

async function open(): Promise<OpenedContent & { root: string }> {
  const root = await mkdtemp(join(tmpdir(), "content-"));
  const paths = { content: join(root, "content"), ingest: join(root, "ingest"), trash: { move: (path: string) => rmSync(path, { force: true }) } };
  return { root, store: await openContent(paths), reopen: () => openContent(paths), [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

contentStoreSuite("image layout", open);

test("the directory is an image layout that names its images", async () => {
  await using opened = await open();
  const { store, root } = opened;
  expect(JSON.parse(await readFile(join(root, "content", "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${"a".repeat(64)}`, size: 7 } as const;
  store.publish([{ name: "busybox:latest", descriptor }, { descriptor }]);
  const index = JSON.parse(await readFile(join(root, "content", "index.json"), "utf8")) as { manifests: unknown[] };
  expect(index.manifests).toEqual([{ ...descriptor, annotations: { "org.opencontainers.image.ref.name": "busybox:latest" } }, descriptor]);
});

test("a restart sweeps half-written blobs that nobody can continue", async () => {
  await using opened = await open();
  const abandoned = await opened.store.ingest();
  await abandoned.write(Buffer.alloc(2 * 1024 * 1024));
  expect(await readdir(join(opened.root, "ingest"))).toHaveLength(1);
  await opened.reopen();
  expect(await readdir(join(opened.root, "ingest"))).toEqual([]);
  await abandoned[Symbol.asyncDispose]();
});
