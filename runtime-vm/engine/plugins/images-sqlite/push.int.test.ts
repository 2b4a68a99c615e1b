import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PullProgress } from "#api/images.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { openRegistries } from "#plugins/registry-http/registries.ts";
import { credentials, found, freePort, startProxy, startRegistry, type TestRegistry } from "#plugins/registry-http/test-registry.ts";
import { openStore } from "./rig.ts";
import { busyboxLayer, dockerArchive, makeImage, manifestOf, sha256, type TestImage } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const registries = openRegistries({ insecureRegistries: [], mirrors: [], userAgent: "test" });
const load = (store: TestStore, image: TestImage, name: string) => said(store.images.load(Readable.from([dockerArchive(image, [name])]), { signal }));
const pull = (store: TestStore, reference: string, platform?: string) =>
  said(store.images.pull({ reference, signal, ...(platform === undefined ? {} : { platform }) }));
const push = (store: TestStore, reference: string, opts: { platform?: string; auth?: RegistryAuth } = {}) =>
  said(store.images.push({ reference, signal, ...opts }));
/** Without the bars, and what only waits. */
const lines = (messages: readonly PullProgress[]) =>
  messages
    .filter(({ status }) => status !== "Pushing" && status !== "Waiting")
    .map(({ status, id, aux }) => (aux === undefined ? (id === undefined ? status! : `${id}: ${status!}`) : "aux"));
const short = (blob: Buffer) => sha256(blob).slice(7, 19);
const fresh = (): TestImage => makeImage([busyboxLayer(), [{ name: "noise", body: randomBytes(100_000) }]]);

describe.skipIf(found === undefined)("pushing (skipped without docker-registry)", () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test("an image arrives whole; a second push finds everything there, another repository mounts it", async () => {
    await using store = await openStore();
    const image = fresh();
    const repository = `${registry.domain}/team/app`;
    await load(store, image, `${repository}:v1`);
    const { Descriptor: target } = await store.images.inspect(`${repository}:v1`);
    const ids = image.layers.map(({ blob }) => short(blob));
    const first = await push(store, `${repository}:v1`);
    expect(first[0]).toEqual({ status: `The push refers to repository [${repository}]` });
    expect(lines(first).slice(1, -1).toSorted()).toEqual(ids.map((id) => `${id}: Pushed`).toSorted());
    expect(first.at(-1)).toEqual({ status: `v1: digest: ${target!.digest} size: ${target!.size}` });
    expect((await store.events()).at(-1)).toBe(`push ${repository}:v1 ${repository}`);
    const again = lines(await push(store, `${repository}:v1`));
    expect(again.slice(1, -1).toSorted()).toEqual(ids.map((id) => `${id}: Layer already exists`).toSorted());
    await store.images.tag(`${repository}:v1`, `${registry.domain}/other/place:v2`);
    const mounted = lines(await push(store, `${registry.domain}/other/place:v2`));
    expect(mounted.slice(1, -1).toSorted()).toEqual(ids.map((id) => `${id}: Mounted from team/app`).toSorted());
    await using elsewhere = await openStore();
    await pull(elsewhere, `${registry.domain}/other/place:v2`);
    const there = await elsewhere.images.resolve(`${registry.domain}/other/place:v2`);
    expect(there).toMatchObject({ id: target!.digest, layers: image.layers.map(({ tar }) => sha256(tar)) });
  });

  test("without a tag every tag of the repository goes", async () => {
    await using store = await openStore();
    const repository = `${registry.domain}/all/tags`;
    for (const tag of ["a", "b"]) await load(store, fresh(), `${repository}:${tag}`);
    const messages = lines(await push(store, repository));
    expect(messages.filter((line) => line.includes(" digest: ")).map((line) => line.slice(0, 2))).toEqual(["a:", "b:"]);
    expect((await registries.open(registry.domain).tags("all/tags", { signal })).toSorted()).toEqual(["a", "b"]);
  });

  test("of an index everything goes when everything is here, else the host's manifest or the one asked for", async () => {
    await using store = await openStore();
    const architectures = ["amd64", "arm64", "s390x"];
    const host = process.arch === "arm64" ? "arm64" : "amd64";
    const { name, digests, index } = await pushIndex(registry, architectures);
    await pull(store, name);
    const target = `${registry.domain}/multi/copy:1`;
    await store.images.tag(name, target);
    const partial = await push(store, target);
    expect(partial.find(({ aux }) => aux !== undefined)?.aux).toMatchObject({
      manifestPushedInsteadOfIndex: true,
      originalIndex: { digest: index },
      selectedManifest: { digest: digests[architectures.indexOf(host)], platform: { architecture: host } },
    });
    expect(partial.at(-1)!.status).toMatch(`1: digest: ${digests[architectures.indexOf(host)]}`);
    await pull(store, name, "linux/s390x");
    expect((await push(store, target, { platform: "linux/s390x" })).at(-1)!.status).toMatch(`1: digest: ${digests[2]}`);
    const absent = push(store, target, { platform: "linux/riscv64" });
    await expect(absent).rejects.toThrow(`image with reference ${target} was found but does not provide the specified platform (linux/riscv64)`);
    await pull(store, name, host === "amd64" ? "linux/arm64" : "linux/amd64");
    const whole = await push(store, target);
    expect(lines(whole)).not.toContain("aux");
    expect(whole.at(-1)!.status).toMatch(`1: digest: ${index}`);
    await using other = await openStore();
    await pull(other, target, "linux/s390x");
    expect((await other.images.resolve(target, "linux/s390x")).id).toBe(index);
  });

  test("what cannot be pushed is told after the first line, in Docker's words", async () => {
    await using store = await openStore();
    const told = async (reference: string, auth?: RegistryAuth): Promise<string> => {
      const iterator = store.images.push({ reference, signal, ...(auth === undefined ? {} : { auth }) })[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toMatchObject({ status: expect.stringContaining("The push refers to repository [") as string });
      try {
        for (;;) if ((await iterator.next()).done === true) return "pushed";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await told(`${registry.domain}/nope:1`)).toBe(`tag does not exist: ${registry.domain}/nope:1`);
    expect(await told(`${registry.domain}/nope`)).toBe(`An image does not exist locally with the tag: ${registry.domain}/nope`);
    const port = await freePort();
    await load(store, fresh(), `127.0.0.1:${port}/x:1`);
    expect(await told(`127.0.0.1:${port}/x:1`)).toMatch(/^failed to do request: Head "http:.*connect: connection refused$/);
    await using closed = await startRegistry({ basicAuth: true });
    await store.images.tag(`127.0.0.1:${port}/x:1`, `${closed.domain}/x:1`);
    const denied = "push access denied, repository does not exist or may require authorization: ";
    expect(await told(`${closed.domain}/x:1`)).toBe(`${denied}no basic auth credentials`);
    expect(await told(`${closed.domain}/x:1`, { ...credentials, password: "wrong" })).toBe(`${denied}unauthorized: authentication required`);
    expect(await told(`${closed.domain}/x:1`, credentials)).toBe("pushed");
  });

  test("a push that nobody listens to any more stops", async () => {
    await using store = await openStore();
    await using stalling = await startProxy(registry.domain, { send: (request, to) => (request.method === "PUT" ? undefined : void request.pipe(to)) });
    await load(store, fresh(), `${stalling.domain}/stalled:1`);
    for await (const message of store.images.push({ reference: `${stalling.domain}/stalled:1`, signal })) if (message.status === "Pushing") break;
    const asked = stalling.seen.length;
    await push(store, `${stalling.domain}/stalled:none`).catch(() => {});
    expect(stalling.seen).toHaveLength(asked);
  });

  test("an image that was made here goes up compressed", async () => {
    await using store = await openStore();
    const name = `${registry.domain}/made/here:1`;
    const tar = packTar([{ name: "zeros", body: Buffer.alloc(5_000_000) }]);
    await store.images.add({ layer: Readable.from([tar]), config: { Cmd: ["x"] }, author: "", comment: "", createdBy: "", name });
    await push(store, name);
    const reader = registries.open(registry.domain);
    const { bytes } = await reader.manifest("made/here", "1", { signal });
    const [layer] = (JSON.parse(bytes.toString()) as { layers: { mediaType: string; digest: `sha256:${string}`; size: number }[] }).layers;
    expect(layer!.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
    expect(layer!.size).toBeLessThan(50_000);
    const { body } = await reader.blob("made/here", layer!.digest, { offset: 0, signal });
    expect(execFileSync("gzip", ["-dc"], { input: await buffer(body), maxBuffer: 10_000_000 }).equals(tar)).toBe(true);
  });
});

const importAs = async (store: TestStore, tar: Buffer, name: string, opts: { platform?: string } = {}) => {
  await store.images.import({ tar: Readable.from([tar]), config: { Cmd: ["/a"], Env: ["K=v"] }, message: "brought in", name, signal, ...opts });
  return await store.images.inspect(name);
};

test("a root file system is imported whatever it is compressed by, and what is compressed for registries already stays so", async () => {
  await using store = await openStore();
  const tar = packTar([{ name: "a", body: Buffer.from("hello") }]);
  const forms = {
    plain: tar,
    gzip: gzipSync(tar),
    zstd: zstdCompressSync(tar),
    xz: execFileSync("xz", ["-c"], { input: tar }),
    bzip2: execFileSync("bzip2", ["-c"], { input: tar }),
  };
  for (const [form, bytes] of Object.entries(forms)) {
    const image = await importAs(store, bytes, `imported:${form}`);
    expect(image.RootFS.Layers, form).toEqual([sha256(tar)]);
    expect(image, form).toMatchObject({ Comment: "brought in", Config: { Cmd: ["/a"], Env: ["K=v"] }, Os: "linux" });
    const [row] = await store.images.history(`imported:${form}`);
    expect(row, form).toMatchObject({ Comment: "brought in", CreatedBy: "", Tags: [`imported:${form}`], Size: 8192 });
  }
  const blob = async (form: string) => (await store.images.inspect(`imported:${form}`)).Size;
  expect((await blob("gzip")) - (await blob("zstd"))).toBe(forms.gzip.length - forms.zstd.length);
  expect((await importAs(store, tar, "imported:arm", { platform: "linux/arm64" })).Architecture).toBe("arm64");
  expect((await importAs(store, Buffer.alloc(0), "imported:empty")).RootFS.Layers).toEqual([sha256(Buffer.alloc(0))]);
});

test("what is no tar is not imported, and leaves no image", async () => {
  await using store = await openStore();
  const tar = packTar([{ name: "a", body: randomBytes(100_000) }]);
  for (const bytes of [Buffer.from("no tar at all".repeat(100)), tar.subarray(0, 50_000), gzipSync(tar).subarray(0, 50_000), Buffer.from("BZhnothing")]) {
    await expect(importAs(store, bytes, "broken:1")).rejects.toMatchObject({ class: "invalidArgument" });
  }
  expect(await store.images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] })).toEqual([]);
  expect(await store.images.totalBytes()).toBe(0);
});

async function pushIndex(registry: TestRegistry, architectures: readonly string[]): Promise<{ name: string; digests: string[]; index: string }> {
  const manifests = [];
  for (const architecture of architectures) {
    const image = makeImage([[{ name: architecture, body: randomBytes(1_000) }]], { architecture });
    for (const { blob } of image.layers) await registry.push("multi/one", blob, "application/octet-stream");
    await registry.push("multi/one", image.config, "application/octet-stream");
    const { digest, size } = await registry.push("multi/one", manifestOf(image), manifestType);
    manifests.push({ mediaType: manifestType, digest, size, platform: { os: "linux", architecture } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
  await registry.push("multi/one", index, indexType, "1");
  return { name: `${registry.domain}/multi/one:1`, digests: manifests.map(({ digest }) => digest), index: sha256(index) };
}
