import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentials, found, freePort, startProxy, startRegistry, type TestRegistry } from "#plugins/registry-http/test-registry.ts";
import { openStore } from "./rig.ts";
import { busyboxLayer, makeImage, sha256 } from "./test-images.ts";
import { big, manifestType, pull, pushImage, serve, short, statuses } from "./test-pulls.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const host = process.arch === "arm64" ? "arm64" : "amd64";

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
});
