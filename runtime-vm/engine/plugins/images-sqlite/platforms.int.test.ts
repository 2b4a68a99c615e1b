import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { packTar } from "#core/layers/tar-writer.ts";
import { openStore } from "./rig.ts";
import { makeImage, manifestOf, sha256 } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;
const nobody = () => [];
const architectures = ["amd64", "arm64", "s390x"];
const images = architectures.map((architecture) => makeImage([[{ name: architecture, body: Buffer.from(architecture) }]], { architecture }));
const manifests = images.map((image, i) => {
  const bytes = manifestOf(image);
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: sha256(bytes), size: bytes.length };
  return { bytes, descriptor: { ...descriptor, platform: { os: "linux", architecture: architectures[i]! } } };
});
const index = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: manifests.map(({ descriptor }) => descriptor) }),
);

/** An OCI archive of one image for three platforms. */
function archive(): Readable {
  const blobs = [index, ...manifests.map(({ bytes }) => bytes), ...images.flatMap((image) => [image.config, ...image.layers.map(({ blob }) => blob)])];
  const top = {
    mediaType: "application/vnd.oci.image.index.v1+json",
    digest: sha256(index),
    size: index.length,
    annotations: { "io.containerd.image.name": "docker.io/library/multi:1" },
  };
  const files = blobs.map((body) => ({ name: `blobs/sha256/${sha256(body).slice(7)}`, body }));
  const texts = { "index.json": { schemaVersion: 2, manifests: [top] }, "oci-layout": { imageLayoutVersion: "1.0.0" } };
  return Readable.from([packTar([...files, ...Object.entries(texts).map(([name, value]) => ({ name, body: Buffer.from(JSON.stringify(value)) }))])]);
}

const here = async (store: TestStore): Promise<string[]> => {
  const [row] = await store.images.list({ filters: {}, manifests: true, sharedSize: false, users: nobody });
  return row!.Manifests!.filter(({ Available }) => Available).map(({ ImageData }) => ImageData!.Platform.architecture);
};

test("loading for a platform unpacks that one; for one that is not in the archive it is told, and the image is here all the same", async () => {
  await using store = await openStore();
  await said(store.images.load(archive(), { platform: "linux/s390x", signal }));
  expect(store.layers.list()).toEqual([sha256(images[2]!.layers[0]!.tar)]);
  await expect(said(store.images.load(archive(), { platform: "linux/riscv64", signal }))).rejects.toMatchObject({
    class: "notFound",
    message: "image multi:1 was loaded, but doesn't provide the requested platform (linux/riscv64)",
  });
  expect(await here(store)).toEqual(architectures);
});

test("saving for a platform writes its manifest alone", async () => {
  await using store = await openStore();
  await said(store.images.load(archive(), { signal }));
  const saved = async (platform?: string) =>
    Readable.from([Buffer.concat(await Array.fromAsync(await store.images.save(["multi:1"], { signal, ...(platform === undefined ? {} : { platform }) })))]);
  await using other = await openStore();
  await said(other.images.load(await saved("linux/arm64"), { signal }));
  const image = await other.images.inspect("multi:1");
  expect(image).toMatchObject({ Id: manifests[1]!.descriptor.digest, Architecture: "arm64", RootFS: { Layers: [sha256(images[1]!.layers[0]!.tar)] } });
  await using whole = await openStore();
  await said(whole.images.load(await saved(), { signal }));
  expect((await whole.images.inspect("multi:1")).Id).toBe(sha256(index));
  await expect(saved("linux/riscv64")).rejects.toMatchObject({
    class: "notFound",
    message: "no suitable export target found: image with reference multi:1 was found but does not provide the specified platform (linux/riscv64)",
  });
});

test("a platform is deleted with what only it has; the image stays for the others", async () => {
  await using store = await openStore();
  await said(store.images.load(archive(), { platform: "linux/arm64", signal }));
  const remove = (platforms: string[], opts: { force?: boolean; running?: boolean } = {}) =>
    store.images.removePlatforms("multi:1", platforms, {
      force: opts.force ?? true,
      users: opts.running === true ? () => [{ id: "0123456789abcdef", running: true }] : nobody,
    });
  await expect(remove(["linux/arm64"], { force: false })).rejects.toThrow("Content will be removed from all images referencing this variant");
  await expect(remove(["linux/arm64", "linux/riscv64"])).rejects.toThrow(`failed to delete platform linux/riscv64 for image ${sha256(index)}`);
  expect(await here(store)).toEqual(architectures);
  expect(await remove(["linux/arm64"])).toEqual([{ Deleted: manifests[1]!.descriptor.digest }]);
  expect(await here(store)).toEqual(["amd64", "s390x"]);
  expect(store.layers.list()).toEqual([]);
  await expect(remove(["linux/arm64"])).rejects.toMatchObject({ class: "notFound" });
  const host = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
  await said(store.images.load(archive(), { signal }));
  await expect(remove([host], { running: true })).rejects.toMatchObject({ class: "conflict" });
  expect(await remove(["linux/s390x"], { running: true })).toHaveLength(1);
});

test("a platform that was removed comes back, over a restart, and its image has it again", async () => {
  await using store = await openStore({ days: 7, bytes: 2 ** 30 });
  await said(store.images.load(archive(), { signal }));
  await store.images.resolve("multi:1", "linux/arm64");
  await store.images.removePlatforms("multi:1", ["linux/arm64"], { force: true, users: nobody });
  expect(await here(store)).toEqual(["amd64", "s390x"]);
  await expect(store.images.resolve("multi:1", "linux/arm64")).rejects.toMatchObject({ class: "notFound" });
  await store.images.prune({ filters: {}, users: nobody });
  await store.reopen();
  const { Items } = await store.bin.list();
  expect(Items).toMatchObject([{ Kind: "platform", Name: "multi:1 for linux/arm64" }]);
  expect(Items[0]!.Bytes).toBeGreaterThan(0);
  expect(store.bin.faults()).toEqual([]);
  expect(await store.bin.restore("multi:1 for linux/arm64")).toMatchObject({ Kind: "platform", Warnings: [], Also: [] });
  expect(await here(store)).toEqual(architectures);
  expect((await store.images.resolve("multi:1", "linux/arm64")).manifest.digest).toBe(manifests[1]!.descriptor.digest);
  expect((await store.images.check({ signal })).Problems).toEqual([]);
});

test("a platform without its image cannot come back, and says so; let go, its bytes are gone", async () => {
  await using store = await openStore({ days: 7, bytes: 2 ** 30 });
  await said(store.images.load(archive(), { signal }));
  await store.images.removePlatforms("multi:1", ["linux/arm64"], { force: true, users: nobody });
  await store.images.remove("multi:1", { force: false, users: nobody });
  await store.bin.discard("multi:1");
  await expect(store.bin.restore("multi:1 for linux/arm64")).rejects.toMatchObject({ class: "conflict", message: /not here any more/ });
  expect(store.bin.faults()).toHaveLength(1);
  await store.bin.empty();
  await store.images.prune({ filters: {}, users: nobody });
  expect(await store.images.totalBytes()).toBe(0);
});
