import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openStore } from "./rig.ts";
import { busyboxLayer, makeImage, manifestOf, sha256 } from "./test-images.ts";
import { said } from "./test-store.ts";

const signal = new AbortController().signal;
const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const foreignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const image = makeImage([busyboxLayer(), [{ name: "foreign", body: Buffer.alloc(200_000, "f") }]]);

interface Served extends AsyncDisposable {
  readonly address: string;
  readonly seen: string[];
}

/** `METHOD PATH AUTHORIZATION` of each request is kept. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A manifest whose last layer its maker hands out at `urls`. */
function manifestWith(urls: readonly string[]): Buffer {
  const plain = JSON.parse(manifestOf(image).toString()) as { layers: object[] };
  return Buffer.from(JSON.stringify({ ...plain, mediaType: manifestType, layers: [plain.layers[0], { ...plain.layers[1], mediaType: foreignType, urls }] }));
}

/** A registry that wants a name and a password, and has none of the `lacking`. */
const registryOf = (manifest: () => Buffer, lacking: readonly string[]): Promise<Served> =>
  serve((request, response) => {
    const blobs = new Map([image.config, ...image.layers.map(({ blob }) => blob)].map((bytes) => [`/v2/app/blobs/${sha256(bytes)}`, bytes]));
    for (const digest of lacking) blobs.delete(`/v2/app/blobs/${digest}`);
    if (request.headers.authorization === undefined) return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    if (request.url === "/v2/app/manifests/v1") return void response.writeHead(200, { "content-type": manifestType }).end(manifest());
    const blob = blobs.get(request.url ?? "");
    response.writeHead(blob === undefined ? 404 : 200).end(blob);
  });

test("a foreign layer comes from where its maker hands it out, which sees no credentials; the next place and the registry stand in", async () => {
  const layer = image.layers[1]!.blob;
  await using maker = await serve((request, response) => void (request.url === "/layer" ? response.end(layer) : response.writeHead(404).end()));
  for (const [urls, lacking] of [
    [[`http://${maker.address}/layer`], [sha256(layer)]],
    [["ftp://nowhere/layer", "no address", `http://${maker.address}/gone`, `http://${maker.address}/layer`], [sha256(layer)]],
    [[`http://${maker.address}/gone`], []],
  ] as const) {
    await using registry = await registryOf(() => manifestWith(urls), lacking);
    await using store = await openStore();
    const reference = `${registry.address}/app:v1`;
    await said(store.images.pull({ reference, signal, auth: { username: "user", password: "pass" } }));
    expect((await store.images.resolve(reference)).layers).toHaveLength(2);
    const asked = registry.seen.filter((line) => line.includes(sha256(layer)));
    expect(asked.length > 0).toBe(lacking.length === 0);
  }
  expect(maker.seen).toEqual(["GET /layer -", "GET /gone -", "GET /layer -", "GET /gone -"]);
});

test("other bytes from its maker are no layer", async () => {
  await using maker = await serve((_, response) => void response.end(Buffer.alloc(image.layers[1]!.blob.length, "x")));
  await using registry = await registryOf(() => manifestWith([`http://${maker.address}/layer`]), []);
  await using store = await openStore();
  const reference = `${registry.address}/app:v1`;
  const pulled = said(store.images.pull({ reference, signal, auth: { username: "user", password: "pass" } }));
  await expect(pulled).rejects.toThrow(`filesystem layer verification failed for digest ${sha256(image.layers[1]!.blob)}`);
  await expect(store.images.resolve(reference)).rejects.toMatchObject({ class: "notFound" });
});

test("a foreign layer is not pushed", async () => {
  await using maker = await serve((_, response) => void response.end(image.layers[1]!.blob));
  const manifest = manifestWith([`http://${maker.address}/layer`]);
  await using source = await registryOf(() => manifest, [sha256(image.layers[1]!.blob)]);
  await using store = await openStore();
  await said(store.images.pull({ reference: `${source.address}/app:v1`, signal, auth: { username: "user", password: "pass" } }));
  const put: string[] = [];
  await using target = await serve((request, response) => {
    request.resume().once("end", () => {
      const path = new URL(request.url ?? "", "http://x");
      if (request.method === "PUT") put.push(path.searchParams.get("digest") ?? path.pathname);
      if (request.method === "HEAD") response.writeHead(404).end();
      else if (request.method === "POST") response.writeHead(202, { location: "/v2/app/blobs/uploads/one" }).end();
      else response.writeHead(201).end();
    });
  });
  const name = `${target.address}/app:v1`;
  await store.images.tag(`${source.address}/app:v1`, name);
  await said(store.images.push({ reference: name, signal }));
  expect(put.toSorted()).toEqual(["/v2/app/manifests/v1", sha256(image.config), sha256(image.layers[0]!.blob)].toSorted());
});
