import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PullProgress } from "#api/images.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { credentials, found, freePort, startProxy, startRegistry, type TestRegistry } from "#plugins/registry-http/test-registry.ts";
import { openStore } from "./rig.ts";
import { busyboxLayer, makeImage, manifestOf, sha256, type TestImage } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const pull = (store: TestStore, reference: string, opts: { platform?: string; auth?: RegistryAuth; signal?: AbortSignal } = {}) =>
  said(store.images.pull({ reference, signal, ...opts }));
const statuses = (messages: readonly PullProgress[]) => messages.map(({ status, id }) => (id === undefined ? status! : `${id}: ${status!}`));
const short = (blob: Buffer) => sha256(blob).slice(7, 19);
const big = makeImage([busyboxLayer(), [{ name: "noise", body: randomBytes(6_000_000) }]]);
const host = process.arch === "arm64" ? "arm64" : "amd64";

async function pushImage(registry: TestRegistry, repository: string, image: TestImage, tag?: string): Promise<{ digest: `sha256:${string}`; size: number }> {
  for (const { blob } of image.layers) await registry.push(repository, blob, "application/octet-stream");
  await registry.push(repository, image.config, "application/octet-stream");
  return await registry.push(repository, manifestOf(image), manifestType, tag);
}

describe.skipIf(found === undefined)("pulling (skipped without docker-registry)", () => {
  let registry: TestRegistry;
  let pushed: { digest: `sha256:${string}`; size: number };
  beforeAll(async () => {
    registry = await startRegistry();
    pushed = await pushImage(registry, "team/app", big, "v1");
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test("an image arrives with Docker's messages, unpacked; a second pull finds it up to date", async () => {
    await using store = await openStore();
    const name = `${registry.domain}/team/app:v1`;
    const first = statuses(await pull(store, name));
    const [a, b] = big.layers.map(({ blob }) => short(blob));
    expect(first[0]).toBe("v1: Pulling from team/app");
    expect(first.slice(1, 3)).toEqual([`${a!}: Pulling fs layer`, `${b!}: Pulling fs layer`]);
    for (const id of [a!, b!]) {
      const steps = [...new Set(first.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 2)))];
      expect(steps.filter((step) => step !== "Downloading" && step !== "Extracting")).toEqual(["Pulling fs layer", "Download complete", "Pull complete"]);
    }
    expect(first.slice(-2)).toEqual([`Digest: ${pushed.digest}`, `Status: Downloaded newer image for ${name}`]);
    const again = statuses(await pull(store, name));
    expect(again).toEqual(["v1: Pulling from team/app", `Digest: ${pushed.digest}`, `Status: Image is up to date for ${name}`]);
    expect(await store.events()).toEqual([`pull ${name} ${registry.domain}/team/app`, `pull ${name} ${registry.domain}/team/app`]);
    const resolved = await store.images.resolve(name);
    expect(resolved.id).toBe(pushed.digest);
    await store.snapshots.prepare("box", resolved.layers);
    expect(readFileSync(join(await store.snapshots.mount("box"), "noise"))).toHaveLength(6_000_000);
  });

  test("zstd layers and plain ones are pulled as well; a layer that is here already is not fetched again", async () => {
    await using store = await openStore();
    const image = (compression: "zstd" | "none") => makeImage([busyboxLayer(), [{ name: compression, body: Buffer.from("x") }]], { compression });
    await pushImage(registry, "zstd", image("zstd"), "1");
    await pushImage(registry, "plain", image("none"), "1");
    await pull(store, `${registry.domain}/zstd:1`);
    await pull(store, `${registry.domain}/plain:1`);
    expect(store.layers.list()).toHaveLength(3);
    await pushImage(registry, "plain", makeImage([busyboxLayer(), [{ name: "new", body: Buffer.from("y") }]], { compression: "none" }), "2");
    const messages = statuses(await pull(store, `${registry.domain}/plain:2`));
    expect(messages).toContain(`${short(image("none").layers[0]!.blob)}: Already exists`);
  });

  test("of an index the host's manifest comes, or the one asked for; the id is the index's", async () => {
    await using store = await openStore();
    const architectures = ["amd64", "arm64", "s390x"];
    const images = architectures.map((architecture) => makeImage([[{ name: architecture, body: Buffer.from("x") }]], { architecture }));
    const manifests = [];
    for (const [i, image] of images.entries()) {
      const { digest, size } = await pushImage(registry, "multi", image);
      manifests.push({
        mediaType: manifestType,
        digest,
        size,
        platform: { os: "linux", architecture: architectures[i]!, ...(architectures[i] === "arm64" ? { variant: "v8" } : {}) },
      });
    }
    manifests.push({
      mediaType: manifestType,
      digest: sha256(Buffer.from("attestation")),
      size: 11,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": manifests[0]!.digest },
    });
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
    // The registry refuses an index with a manifest it does not have; a proxy shows it all the same.
    await using proxy = await startProxy(registry.domain, { answer: serve("/v2/multi/manifests/1", index, indexType) });
    const name = `${proxy.domain}/multi:1`;
    await pull(store, name);
    const own = architectures.indexOf(host);
    expect(await store.images.resolve(name)).toMatchObject({
      id: sha256(index),
      manifest: { digest: manifests[own]!.digest },
      layers: [sha256(images[own]!.layers[0]!.tar)],
    });
    const [row] = await store.images.list({ filters: {}, manifests: true, sharedSize: false, users: () => [] });
    expect(row!.Manifests!.map(({ Kind, Available }) => [Kind, Available])).toEqual(
      architectures.map((name) => ["image", name === host]).concat([["attestation", false]]),
    );
    expect(row!.Manifests![3]).toMatchObject({ AttestationData: { For: manifests[0]!.digest }, Size: { Content: 0, Total: 0 } });
    await expect(store.images.resolve(name, "linux/s390x")).rejects.toMatchObject({
      class: "notFound",
      message: `image with reference ${name} was found but does not provide the specified platform (linux/s390x)`,
    });
    await pull(store, name, { platform: "linux/s390x" });
    expect((await store.images.resolve(name, "linux/s390x")).manifest.digest).toBe(manifests[2]!.digest);
    expect((await store.images.inspect(name, { platform: "linux/s390x" })).Architecture).toBe("s390x");
    await expect(pull(store, name, { platform: "linux/riscv64" })).rejects.toMatchObject({
      class: "notFound",
      message: expect.stringMatching(/^no matching manifest for linux\/riscv64 in the manifest list entries/) as string,
    });
    await expect(pull(store, name, { platform: "foo" })).rejects.toThrow('"foo": unknown operating system or architecture: invalid argument');
  });

  test("by digest the name is the digest; without a tag every tag comes", async () => {
    await using store = await openStore();
    const repository = `${registry.domain}/team/app`;
    const messages = statuses(await pull(store, `${repository}@${pushed.digest}`));
    expect(messages[0]).toBe(`${repository}@${pushed.digest}: Pulling from team/app`);
    expect(await store.images.inspect(pushed.digest)).toMatchObject({
      RepoTags: [`${repository}@${pushed.digest}`],
      RepoDigests: [`${repository}@${pushed.digest}`],
    });
    await pushImage(registry, "tags", makeImage([[{ name: "one", body: Buffer.from("1") }]]), "one");
    await pushImage(registry, "tags", makeImage([[{ name: "two", body: Buffer.from("2") }]]), "two");
    // In the order in which the registry lists them, which is its own affair.
    expect(
      statuses(await pull(store, `${registry.domain}/tags`))
        .filter((line) => line.startsWith("Status"))
        .sort(),
    ).toEqual([`Status: Downloaded newer image for ${registry.domain}/tags:one`, `Status: Downloaded newer image for ${registry.domain}/tags:two`]);
  });

  test("a tag that moved leaves the former image dangling", async () => {
    await using store = await openStore();
    const image = (body: string) => makeImage([[{ name: "f", body: Buffer.from(body) }]]);
    await pushImage(registry, "moving", image("1"), "latest");
    await pull(store, `${registry.domain}/moving:latest`);
    const { digest } = await pushImage(registry, "moving", image("2"), "latest");
    const messages = statuses(await pull(store, `${registry.domain}/moving:latest`));
    expect(messages.at(-1)).toBe(`Status: Downloaded newer image for ${registry.domain}/moving:latest`);
    const rows = await store.images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] });
    expect(rows.find(({ Id }) => Id === digest)!.RepoTags).toEqual([`${registry.domain}/moving:latest`]);
    expect(rows.find(({ Id }) => Id !== digest)!.RepoTags).toEqual([]);
  });

  test("what cannot be had is told in Docker's words", async () => {
    await using store = await openStore();
    const missing = `${registry.domain}/team/app:none`;
    await expect(pull(store, missing)).rejects.toMatchObject({
      class: "notFound",
      message: `failed to resolve reference "${missing}": ${missing}: not found`,
    });
    const port = await freePort();
    await expect(pull(store, `127.0.0.1:${port}/x:y`)).rejects.toMatchObject({
      class: "internal",
      message: expect.stringContaining("connect: connection refused") as string,
    });
    await using closed = await startRegistry({ basicAuth: true });
    const secret = await pushImage(closed, "secret", big, "1");
    const denied = `failed to resolve reference "${closed.domain}/secret:1": pull access denied, repository does not exist or may require authorization`;
    await expect(pull(store, `${closed.domain}/secret:1`)).rejects.toMatchObject({ class: "notFound", message: `${denied}: no basic auth credentials` });
    await expect(pull(store, `${closed.domain}/secret:1`, { auth: { username: "user", password: "no" } })).rejects.toMatchObject({
      message: `${denied}: unauthorized: authentication required`,
    });
    await pull(store, `${closed.domain}/secret:1`, { auth: credentials });
    expect((await store.images.inspect(`${closed.domain}/secret:1`)).Id).toBe(secret.digest);
  });

  test("a connection that breaks again and again is taken up where it stopped", async () => {
    await using store = await openStore();
    const noise = short(big.layers[1]!.blob);
    await using proxy = await startProxy(registry.domain, { relay: cutAfter(1_500_000) });
    await pull(store, `${proxy.domain}/team/app:v1`);
    const ranges = proxy.seen.filter(({ url }) => url!.includes(noise)).map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!))).toBe(true);
    expect(ranges.length).toBeGreaterThan(3);
    expect((await store.images.resolve(`${proxy.domain}/team/app:v1`)).id).toBe(pushed.digest);
  });

  test("a pull that was given up is continued by the next one, also by another engine", async () => {
    await using store = await openStore();
    const stop = new AbortController();
    await using proxy = await startProxy(registry.domain, {
      relay: (request, from, to) => {
        if (request.url!.includes(short(big.layers[1]!.blob))) to.on("pipe", () => setTimeout(() => stop.abort(new Error("enough")), 50));
        cutAfter(4_000_000, "stall")(request, from, to);
      },
    });
    await expect(pull(store, `${proxy.domain}/team/app:v1`, { signal: stop.signal })).rejects.toThrow("enough");
    await store.reopen();
    await using second = await startProxy(registry.domain, {});
    await pull(store, `${second.domain}/team/app:v1`);
    const [blob] = second.seen.filter(({ url }) => url!.includes(short(big.layers[1]!.blob)));
    expect(blob!.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test("what a power cut tore of a download is fetched once more", async () => {
    await using store = await openStore();
    const noise = sha256(big.layers[1]!.blob);
    const ref = join(store.root, "ingest", `ref-${sha256(Buffer.from(`blob ${noise}`)).slice(7)}`);
    writeFileSync(ref, Buffer.concat([big.layers[1]!.blob.subarray(0, 2_000_000), Buffer.alloc(1_000_000)]));
    await using proxy = await startProxy(registry.domain, {});
    await pull(store, `${proxy.domain}/team/app:v1`);
    expect(proxy.seen.filter(({ url }) => url!.endsWith(noise)).map(({ headers }) => headers.range)).toEqual(["bytes=3000000-", undefined]);
    expect((await store.images.resolve(`${proxy.domain}/team/app:v1`)).id).toBe(pushed.digest);
  });

  test("a registry that ignores Range and one that sends other bytes", async () => {
    await using store = await openStore();
    const noise = big.layers[1]!.blob;
    let cuts = 1;
    await using whole = await startProxy(registry.domain, {
      answer: (request, response) => {
        if (!request.url!.includes(short(noise))) return false;
        response.writeHead(200, { "content-length": noise.length });
        if (cuts-- > 0) response.write(noise.subarray(0, 2_000_000), () => setTimeout(() => response.destroy(), 20));
        else response.end(noise);
        return true;
      },
    });
    await pull(store, `${whole.domain}/team/app:v1`);
    await using other = await openStore();
    await using wrong = await startProxy(registry.domain, { answer: serve(short(noise), randomBytes(noise.length), "application/octet-stream") });
    await expect(pull(other, `${wrong.domain}/team/app:v1`)).rejects.toMatchObject({
      class: "invalidArgument",
      message: `filesystem layer verification failed for digest ${sha256(noise)}`,
    });
    expect(await other.images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] })).toEqual([]);
  });

  test("a layer whose content is not what the config promises is refused", async () => {
    await using store = await openStore();
    await pushImage(registry, "lying", makeImage([[{ name: "a", body: Buffer.from("x") }]], { diffIds: [sha256(Buffer.from("other"))] }), "1");
    await expect(pull(store, `${registry.domain}/lying:1`)).rejects.toThrow(/the tar has digest/);
    await pushImage(registry, "lying", makeImage([[{ name: "a", body: Buffer.from("x") }]], { diffIds: [] }), "2");
    await expect(pull(store, `${registry.domain}/lying:2`)).rejects.toThrow(/number of layers and diffIDs don't match: 1 != 0/);
  });

  test("concurrent pulls of one image share its downloads; one may give up without harm to the other", async () => {
    await using store = await openStore();
    await using proxy = await startProxy(registry.domain, {});
    const name = `${proxy.domain}/team/app:v1`;
    const quit = new AbortController();
    const quitter = pull(store, name, { signal: quit.signal });
    const both = [pull(store, name), pull(store, name)];
    setTimeout(() => quit.abort(new Error("leaving")), 30);
    await quitter.catch((error: Error) => expect(error.message).toBe("leaving"));
    for (const messages of await Promise.all(both)) expect(statuses(messages).at(-2)).toBe(`Digest: ${pushed.digest}`);
    const fetched = proxy.seen.map(({ url }) => url!).filter((url) => url.includes("/blobs/") && !url.includes(sha256(big.config)));
    expect(fetched.toSorted()).toEqual(big.layers.map(({ blob }) => `/v2/team/app/blobs/${sha256(blob)}`).toSorted());
  });

  test("a reader that stops listening ends the pull, and nothing of it goes on", async () => {
    await using store = await openStore();
    await using proxy = await startProxy(registry.domain, { relay: cutAfter(1_000_000, "stall") });
    for await (const message of store.images.pull({ reference: `${proxy.domain}/team/app:v1`, signal })) if (message.status === "Pulling fs layer") break;
    const seen = proxy.seen.length;
    await pull(store, `${registry.domain}/team/app:v1`);
    expect(proxy.seen).toHaveLength(seen);
    expect(readdirSync(join(store.root, "ingest"))).toEqual([]);
  });
});

/** Answers one path itself. */
const serve =
  (path: string, body: Buffer, type: string) =>
  (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!request.url!.includes(path)) return false;
    response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
    return true;
  };

/** Passes that many bytes of a blob and then breaks the connection, or never sends another byte. */
const cutAfter =
  (bytes: number, how: "cut" | "stall" = "cut") =>
  (request: IncomingMessage, from: IncomingMessage, to: ServerResponse): void => {
    if (!request.url!.includes("/blobs/")) return void from.pipe(to);
    let passed = 0;
    from.on("data", (chunk: Buffer) => {
      if (passed >= bytes) return;
      passed += chunk.length;
      to.write(chunk);
      if (passed < bytes) return;
      from.destroy();
      if (how === "cut") setTimeout(() => to.destroy(), 20);
    });
    from.on("end", () => to.end());
    to.emit("pipe", from);
  };
