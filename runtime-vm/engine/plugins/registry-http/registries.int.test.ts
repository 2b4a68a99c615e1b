import { createHash, randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegistries } from "./registries.ts";
import { credentials, found, freePort, startProxy, startRegistry, type TestRegistry } from "./test-registry.ts";

const signal = new AbortController().signal;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const blob = randomBytes(300_000);
const config = Buffer.from('{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}');
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
const open = (options: { insecureRegistries?: string[]; mirrors?: string[] } = {}) =>
  openRegistries({ insecureRegistries: [], mirrors: [], userAgent: "test", ...options });

describe.skipIf(found === undefined)("a real registry (skipped without docker-registry)", () => {
  let registry: TestRegistry;
  let manifest: Buffer;
  beforeAll(async () => {
    registry = await startRegistry();
    manifest = await fill(registry);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test("gives manifests by tag and digest, blobs whole and from an offset, and tags", async () => {
    await using registries = open();
    const reader = registries.open(registry.domain);
    const descriptor = { mediaType: manifestType, digest: digestOf(manifest), size: manifest.length };
    expect(await reader.manifest("some/app", "v1", { signal })).toEqual({ descriptor, bytes: manifest });
    expect((await reader.manifest("some/app", digestOf(manifest), { signal })).bytes).toEqual(manifest);
    const whole = await reader.blob("some/app", digestOf(blob), { offset: 0, signal });
    expect(await buffer(whole.body)).toEqual(blob);
    const rest = await reader.blob("some/app", digestOf(blob), { offset: 299_990, signal });
    expect(rest.offset).toBe(299_990);
    expect(await buffer(rest.body)).toEqual(blob.subarray(299_990));
    expect(await reader.tags("some/app", { signal })).toEqual(["v1"]);
  });

  test("says what is not there in the registry's words", async () => {
    await using registries = open();
    const reader = registries.open(registry.domain);
    await expect(reader.manifest("some/app", "none", { signal })).rejects.toMatchObject({ class: "notFound", message: "manifest unknown: manifest unknown" });
    await expect(reader.blob("some/app", digestOf(Buffer.from("none")), { offset: 0, signal })).rejects.toMatchObject({ class: "notFound" });
  });

  test("a manifest that is not what its digest says is refused", async () => {
    await using registries = open();
    await using proxy = await startProxy(registry.domain, {
      relay: (_, from, to) => {
        from.resume();
        to.end(Buffer.alloc(manifest.length, " "));
      },
    });
    const reader = registries.open(proxy.domain);
    await expect(reader.manifest("some/app", digestOf(manifest), { signal })).rejects.toThrow(/verification failed/);
  });

  test("a token is fetched for the scope, kept, and fetched anew when it is refused", async () => {
    let valid = "first";
    let fetched = 0;
    await using proxy = await startProxy(registry.domain, {
      answer: (request, response) => {
        if (request.url!.startsWith("/token")) {
          fetched += 1;
          expect(new URL(request.url!, "http://x").searchParams.get("scope")).toBe("repository:some/app:pull");
          expect(request.headers.authorization).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`);
          response.end(JSON.stringify({ token: valid }));
          return true;
        }
        if (request.headers.authorization === `Bearer ${valid}`) return false;
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host!}/token",service="test"` }).end("{}");
        return true;
      },
    });
    await using registries = open();
    const reader = registries.open(proxy.domain, credentials);
    await reader.manifest("some/app", "v1", { signal });
    await reader.manifest("some/app", "v1", { signal });
    expect(fetched).toBe(1);
    valid = "second";
    await reader.manifest("some/app", "v1", { signal });
    expect(fetched).toBe(2);
  });

  test("a redirect is followed, and the credentials stay with the registry", async () => {
    await using storage = await startProxy(registry.domain, {});
    await using proxy = await startProxy(registry.domain, {
      answer: (request, response) => {
        if (!request.url!.includes("/blobs/")) return false;
        response.writeHead(307, { location: `http://${storage.domain}${request.url!}` }).end();
        return true;
      },
    });
    await using registries = open();
    const reader = registries.open(proxy.domain, { registrytoken: "secret" });
    const { body } = await reader.blob("some/app", digestOf(blob), { offset: 0, signal });
    expect(await buffer(body)).toEqual(blob);
    expect(proxy.seen.at(-1)!.headers.authorization).toBe("Bearer secret");
    expect(storage.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("a server that is busy is asked again after the time it names", async () => {
    let refusals = 2;
    await using proxy = await startProxy(registry.domain, {
      answer: (_, response) => {
        if (refusals-- <= 0) return false;
        response.writeHead(refusals === 1 ? 429 : 503, { "retry-after": "0" }).end();
        return true;
      },
    });
    await using registries = open();
    expect((await registries.open(proxy.domain).manifest("some/app", "v1", { signal })).bytes).toEqual(manifest);
    expect(proxy.seen).toHaveLength(3);
  });

  test("a registry on loopback may speak TLS with a certificate nobody knows", async () => {
    const dir = mkdtempSync(join(tmpdir(), "registry-tls-"));
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        join(dir, "key"),
        "-out",
        join(dir, "cert"),
        "-subj",
        "/CN=x",
      ],
      { stdio: "ignore" },
    );
    const server = createTlsServer({ key: readFileSync(join(dir, "key")), cert: readFileSync(join(dir, "cert")) }, (_, response) =>
      response.writeHead(200, { "content-type": manifestType }).end(manifest),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await using registries = open();
    const reader = registries.open(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await reader.manifest("some/app", "v1", { signal })).bytes).toEqual(manifest);
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  test("a mirror that does not have it gives way to the registry", async () => {
    await using mirror = await startRegistry();
    await using registries = open({ mirrors: [`http://${mirror.domain}`, `http://${registry.domain}`] });
    expect((await registries.open("docker.io").manifest("some/app", "v1", { signal })).bytes).toEqual(manifest);
  });
});

describe.skipIf(found === undefined)("a registry with basic authentication (skipped without docker-registry)", () => {
  test("wants credentials, refuses wrong ones, serves right ones", async () => {
    await using registry = await startRegistry({ basicAuth: true });
    const manifest = await fill(registry);
    await using registries = open();
    const get = (auth = {}) => registries.open(registry.domain, auth).manifest("some/app", "v1", { signal });
    await expect(get()).rejects.toMatchObject({ class: "unauthorized", message: "no basic auth credentials" });
    await expect(get({ ...credentials, password: "wrong" })).rejects.toMatchObject({ class: "unauthorized", message: "unauthorized: authentication required" });
    expect((await get(credentials)).bytes).toEqual(manifest);
  });
});

test("a registry that is not there is unavailable, in the words of Docker", async () => {
  const port = await freePort();
  await using registries = open();
  await expect(registries.open(`127.0.0.1:${port}`).manifest("x", "y", { signal })).rejects.toMatchObject({
    class: "unavailable",
    message: `Get "http://127.0.0.1:${port}/v2/x/manifests/y": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  });
});

test("a cancelled request ends with the reason of the cancelling", async () => {
  await using silent = await startProxy("127.0.0.1:1", { answer: () => true });
  await using registries = open();
  const cancel = new AbortController();
  const asked = registries.open(silent.domain).manifest("x", "y", { signal: cancel.signal });
  cancel.abort(new Error("changed my mind"));
  await expect(asked).rejects.toThrow("changed my mind");
});

/** An image `some/app:v1` with one layer that is no tar; returns its manifest. */
async function fill(registry: TestRegistry): Promise<Buffer> {
  const layer = await registry.push("some/app", blob, "application/octet-stream");
  const described = await registry.push("some/app", config, "application/vnd.oci.image.config.v1+json");
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: described,
      layers: [{ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar" }],
    }),
  );
  await registry.push("some/app", manifest, manifestType, "v1");
  return manifest;
}
