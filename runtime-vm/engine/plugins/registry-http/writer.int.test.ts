import { createHash, randomBytes } from "node:crypto";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BlobUpload } from "#core/registry/registry.ts";
import { openRegistries } from "./registries.ts";
import { credentials, found, startProxy, startRegistry, type TestRegistry } from "./test-registry.ts";

const signal = new AbortController().signal;
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
const open = () => openRegistries({ insecureRegistries: [], mirrors: [], userAgent: "test" });
const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A blob of its own for each test: the registry is shared. */
function uploadOf(bytes: Buffer, opts: { mountFrom?: string; starts?: number[] } = {}): BlobUpload {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (start) => {
      opts.starts?.push(start);
      return Readable.from(piecesOf(bytes.subarray(start)));
    },
    ...(opts.mountFrom === undefined ? {} : { mountFrom: opts.mountFrom }),
  };
}

function* piecesOf(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

describe.skipIf(found === undefined)("writing to a real registry (skipped without docker-registry)", () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const stored = async (repository: string, bytes: Buffer): Promise<Buffer> => {
    await using registries = open();
    const { body } = await registries.open(registry.domain).blob(repository, digestOf(bytes), { offset: 0, signal });
    return await buffer(body);
  };

  test("a blob goes up in one request, is then there, and a manifest gets its tag", async () => {
    await using registries = open();
    await using proxy = await startProxy(registry.domain, {});
    const writer = registries.openWriter(proxy.domain);
    const [layer, config] = [randomBytes(3_000_000), Buffer.from(`{"created":"${Date.now()}"}`)];
    expect(await writer.hasBlob("up/one", digestOf(layer), { signal })).toBe(false);
    for (const bytes of [layer, config]) expect(await writer.pushBlob("up/one", uploadOf(bytes), { signal })).toBe("uploaded");
    expect(await writer.hasBlob("up/one", digestOf(layer), { signal })).toBe(true);
    expect((await stored("up/one", layer)).equals(layer)).toBe(true);
    expect(proxy.seen.map(({ method }) => method)).toEqual(["HEAD", "POST", "PUT", "POST", "PUT", "HEAD"]);
    const described = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: described(config, "application/vnd.oci.image.config.v1+json"),
        layers: [described(layer, "application/vnd.oci.image.layer.v1.tar")],
      }),
    );
    const descriptor = described(bytes, manifestType);
    await writer.pushManifest("up/one", "v1", { descriptor, bytes }, { signal });
    expect(await registries.open(registry.domain).head("up/one", "v1", { signal })).toEqual(descriptor);
    const broken = Buffer.from(bytes.toString().replace(digestOf(layer), digestOf(Buffer.from("nowhere"))));
    const wrong = writer.pushManifest("up/one", "v2", { descriptor: described(broken, manifestType), bytes: broken }, { signal });
    await expect(wrong).rejects.toThrow("manifest blob unknown");
  });

  test("a blob that another repository has is mounted; where that is refused it is sent", async () => {
    await using registries = open();
    const bytes = randomBytes(100_000);
    const starts: number[] = [];
    const writer = registries.openWriter(registry.domain);
    await writer.pushBlob("mount/from", uploadOf(bytes), { signal });
    expect(await writer.pushBlob("mount/to", uploadOf(bytes, { mountFrom: "mount/from", starts }), { signal })).toBe("mounted");
    expect(starts).toEqual([]);
    expect((await stored("mount/to", bytes)).equals(bytes)).toBe(true);
    const other = randomBytes(100_000);
    expect(await writer.pushBlob("mount/to", uploadOf(other, { mountFrom: "mount/from", starts }), { signal })).toBe("uploaded");
    expect(starts).toEqual([0]);
    await using denying = await startProxy(registry.domain, { answer: refuse((request) => request.url!.includes("mount="), 403) });
    expect(await registries.openWriter(denying.domain).pushBlob("mount/third", uploadOf(bytes, { mountFrom: "mount/from" }), { signal })).toBe("uploaded");
  });

  test("an upload that is cut again and again goes on from what the registry has", async () => {
    await using registries = open();
    const bytes = randomBytes(6_000_000);
    const starts: number[] = [];
    let cuts = 3;
    await using proxy = await startProxy(registry.domain, {
      send: (request, to) =>
        (request.method === "PUT" || request.method === "PATCH") && cuts-- > 0 ? cutAfter(1_500_000, request, to) : void request.pipe(to),
    });
    expect(await registries.openWriter(proxy.domain).pushBlob("cut/one", uploadOf(bytes, { starts }), { signal })).toBe("uploaded");
    expect((await stored("cut/one", bytes)).equals(bytes)).toBe(true);
    expect(starts).toHaveLength(4);
    expect(proxy.seen.filter(({ method }) => method === "GET").length).toBeGreaterThan(0);
  });

  test("a registry that takes no large request gets chunks", async () => {
    await using registries = open();
    const bytes = randomBytes(40_000_000);
    const large = (request: IncomingMessage): boolean => Number(request.headers["content-length"] ?? 0) > 20_000_000;
    await using proxy = await startProxy(registry.domain, { answer: refuse(large, 413) });
    expect(await registries.openWriter(proxy.domain).pushBlob("chunks/one", uploadOf(bytes), { signal })).toBe("uploaded");
    expect(proxy.seen.filter(({ method }) => method === "PATCH")).toHaveLength(3);
    expect((await stored("chunks/one", bytes)).equals(bytes)).toBe(true);
  });

  test("a registry that fails for a moment is asked again, one that goes on failing is told of", async () => {
    await using registries = open();
    let failures = 2;
    await using moody = await startProxy(registry.domain, { answer: refuse((request) => request.method === "PUT" && failures-- > 0, 503) });
    const bytes = randomBytes(200_000);
    expect(await registries.openWriter(moody.domain).pushBlob("moody/one", uploadOf(bytes), { signal })).toBe("uploaded");
    expect((await stored("moody/one", bytes)).equals(bytes)).toBe(true);
    await using denying = await startProxy(registry.domain, { answer: refuse((request) => request.method === "PUT", 403) });
    const denied = registries.openWriter(denying.domain).pushBlob("moody/two", uploadOf(randomBytes(10)), { signal });
    await expect(denied).rejects.toMatchObject({ class: "unauthorized" });
  });

  test("other bytes than their digest says are refused by the registry, in its words", async () => {
    await using registries = open();
    const upload = { ...uploadOf(randomBytes(1_000)), digest: digestOf(Buffer.from("something else")) };
    await expect(registries.openWriter(registry.domain).pushBlob("wrong/one", upload, { signal })).rejects.toThrow(/digest/);
  });

  test("one token with the right to push serves uploads side by side, and mounting asks for the other repository, too", async () => {
    const scopes: string[][] = [];
    await using proxy = await startProxy(registry.domain, {
      answer: (request, response) => {
        const url = new URL(request.url!, "http://x");
        if (url.pathname === "/token") {
          scopes.push(url.searchParams.getAll("scope"));
          expect(request.headers.authorization).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`);
          response.end(JSON.stringify({ token: url.searchParams.getAll("scope").join("+") }));
          return true;
        }
        if (request.headers.authorization?.includes("repository:token/one:pull,push") === true) return false;
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host!}/token",service="test"` }).end("{}");
        return true;
      },
    });
    await using registries = open();
    const writer = registries.openWriter(proxy.domain, credentials);
    await Promise.all([randomBytes(10), randomBytes(10), randomBytes(10)].map((bytes) => writer.pushBlob("token/one", uploadOf(bytes), { signal })));
    expect(scopes).toEqual([["repository:token/one:pull,push"]]);
    await writer.pushBlob("token/one", uploadOf(randomBytes(10), { mountFrom: "base/image" }), { signal });
    expect(scopes[1]).toEqual(["repository:token/one:pull,push", "repository:base/image:pull"]);
  });

  test("basic credentials serve uploads side by side", async () => {
    await using closed = await startRegistry({ basicAuth: true });
    await using registries = open();
    const writer = registries.openWriter(closed.domain, credentials);
    const asked = await Promise.all([1, 2, 3, 4].map(() => writer.hasBlob("basic/one", digestOf(randomBytes(9)), { signal })));
    expect(asked).toEqual([false, false, false, false]);
    const stranger = registries.openWriter(closed.domain, { ...credentials, password: "wrong" });
    await expect(stranger.pushBlob("basic/one", uploadOf(randomBytes(9)), { signal })).rejects.toMatchObject({ class: "unauthorized" });
  });

  test("an upload that is sent elsewhere goes there whole, without the credentials", async () => {
    await using storage = await startProxy(registry.domain, {});
    await using proxy = await startProxy(registry.domain, {
      answer: (request, response) => {
        if (request.method !== "PUT") return false;
        response.writeHead(307, { location: `http://${storage.domain}${request.url!}` }).end();
        return true;
      },
    });
    await using registries = open();
    const bytes = randomBytes(500_000);
    await registries.openWriter(proxy.domain, { registrytoken: "secret" }).pushBlob("redirect/one", uploadOf(bytes), { signal });
    expect((await stored("redirect/one", bytes)).equals(bytes)).toBe(true);
    expect(proxy.seen.every(({ headers }) => headers.authorization === "Bearer secret")).toBe(true);
    expect(storage.seen.map(({ method, headers }) => [method, headers.authorization])).toEqual([["PUT", undefined]]);
  });

  test("an upload that is given up stops, and reads no more of its blob", async () => {
    await using registries = open();
    await using stalling = await startProxy(registry.domain, { send: (request, to) => (request.method === "PUT" ? undefined : void request.pipe(to)) });
    const stop = new AbortController();
    const upload = uploadOf(randomBytes(30_000_000));
    let source: Readable | undefined;
    const watched = { ...upload, open: (start: number) => (source = Readable.from(upload.open(start))), onProgress: () => stop.abort(new Error("enough")) };
    await expect(registries.openWriter(stalling.domain).pushBlob("stop/one", watched, { signal: stop.signal })).rejects.toThrow("enough");
    expect(source?.destroyed).toBe(true);
  });
});

const refuse =
  (which: (request: IncomingMessage) => boolean, status: number) =>
  (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!which(request)) return false;
    request.resume();
    request.on("end", () => response.writeHead(status).end());
    return true;
  };

/** Passes that many bytes of a request's body, and then breaks both connections. */
function cutAfter(bytes: number, request: IncomingMessage, to: ClientRequest): void {
  let passed = 0;
  request.on("data", (chunk: Buffer) => {
    passed += chunk.length;
    to.write(chunk);
    if (passed < bytes) return;
    request.pause();
    // The registry has what it was sent before it learns that there is no more.
    setTimeout(() => {
      to.destroy();
      request.destroy();
    }, 50);
  });
}
