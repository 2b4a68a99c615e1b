import { randomBytes } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { found, startProxy, startRegistry, type TestRegistry } from "#plugins/registry-http/test-registry.ts";
import { openStore } from "./rig.ts";
import { makeImage, manifestOf, sha256 } from "./test-images.ts";
import { big, cutAfter, manifestType, pull, pushImage, serve, short, signal, statuses } from "./test-pulls.ts";

describe.skipIf(found === undefined)("pulls that go wrong (skipped without docker-registry)", () => {
  let registry: TestRegistry;
  let pushed: { digest: `sha256:${string}`; size: number };
  beforeAll(async () => {
    registry = await startRegistry();
    pushed = await pushImage(registry, "team/app", big, "v1");
  });
  afterAll(() => registry[Symbol.asyncDispose]());

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

  test("an image that is refused leaves nothing behind, whatever was wrong with it", async () => {
    await using store = await openStore();
    const diff_ids = [sha256(makeImage([[{ name: "a", body: Buffer.from("x") }]]).layers[0]!.tar)];
    const configs = {
      other: { os: "linux", architecture: "amd64", rootfs: { diff_ids: [sha256(Buffer.from("other"))] } },
      few: { os: "linux", architecture: "amd64", rootfs: { diff_ids: [] } },
      none: { os: "linux", architecture: "amd64" },
      number: { os: "linux", architecture: 5, rootfs: { diff_ids } },
      path: { os: "linux", architecture: "amd64", rootfs: { diff_ids: ["../../../../etc/passwd"] } },
      history: { os: "linux", architecture: "amd64", rootfs: { diff_ids }, history: "none" },
    };
    for (const [tag, config] of Object.entries(configs)) {
      await pushImage(registry, "refused", { ...makeImage([[{ name: "a", body: Buffer.from("x") }]]), config: Buffer.from(JSON.stringify(config)) }, tag);
      await expect(pull(store, `${registry.domain}/refused:${tag}`), tag).rejects.toMatchObject({ class: "invalidArgument" });
      expect(readdirSync(join(store.root, "content/blobs/sha256")), tag).toEqual([]);
      expect(store.layers.list(), tag).toEqual([]);
    }
  });

  test("an index leads to an image although it names no platform, or another index first", async () => {
    await using store = await openStore();
    const indexType = "application/vnd.oci.image.index.v1+json";
    const indexOf = (manifests: readonly unknown[]): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
    const foreign = makeImage([[{ name: "foreign", body: Buffer.from("x") }]]);
    const config = Buffer.from(foreign.config.toString().replace(/"architecture":"[^"]*"/, '"architecture":"s390x"'));
    const others = await pushImage(registry, "indexed", { ...foreign, config });
    const own = await pushImage(registry, "indexed", big);
    const entries = [others, own].map(({ digest, size }) => ({ mediaType: manifestType, digest, size }));
    const inner = await registry.push("indexed", indexOf(entries), indexType, "bare");
    await registry.push("indexed", indexOf([{ mediaType: indexType, digest: inner.digest, size: inner.size }]), indexType, "nested");
    for (const tag of ["bare", "nested"]) {
      await pull(store, `${registry.domain}/indexed:${tag}`);
      expect((await store.images.resolve(`${registry.domain}/indexed:${tag}`)).manifest.digest, tag).toBe(sha256(manifestOf(big)));
    }
    await registry.push("indexed", indexOf(entries.slice(0, 1)), indexType, "foreign");
    await expect(pull(store, `${registry.domain}/indexed:foreign`)).rejects.toThrow(/no match for platform in manifest/);
    await store.images.prune({ filters: { dangling: ["false"] }, users: () => [] });
    expect(readdirSync(join(store.root, "content/blobs/sha256"))).toEqual([]);
  });

  test("a prune takes what a pull that was given up has left, and nothing of one that is under way", async () => {
    await using store = await openStore();
    const stalled = await startProxy(registry.domain, { relay: cutAfter(1_000_000, "stall") });
    const quit = new AbortController();
    const ingest = join(store.root, "ingest");
    const sizeOf = (name: string): number => statSync(join(ingest, name), { throwIfNoEntry: false })?.size ?? 0;
    const partial = (): number => readdirSync(ingest).reduce((sum, name) => sum + sizeOf(name), 0);
    const pulling = pull(store, `${stalled.domain}/team/app:v1`, { signal: quit.signal });
    pulling.catch(() => {});
    // More than a manifest or a config is: what is pruned below is the layer that stalled.
    await expect.poll(partial).toBeGreaterThan(100_000);
    const prune = () => store.images.prune({ filters: {}, users: () => [] });
    expect(await prune()).toEqual({ ImagesDeleted: null, SpaceReclaimed: 0 });
    expect(partial()).toBeGreaterThan(0);
    quit.abort(new Error("leaving"));
    await expect(pulling).rejects.toThrow("leaving");
    await stalled[Symbol.asyncDispose]();
    expect(partial()).toBeGreaterThan(0);
    expect((await prune()).SpaceReclaimed).toBeGreaterThan(0);
    expect(readdirSync(ingest)).toEqual([]);
    expect(readdirSync(join(store.root, "content/blobs/sha256"))).toEqual([]);
    await pull(store, `${registry.domain}/team/app:v1`);
    expect((await store.images.check({ signal })).Problems).toEqual([]);
  });
});
