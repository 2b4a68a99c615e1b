import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { estargzLayer } from "../fixtures/estargz.ts";
import { tarOf } from "../fixtures/image.ts";
import type { RawManifest } from "../fixtures/registry.ts";

/** What registries hold besides plain images: other compressions, artifacts, and manifests that do not add up. The same bytes everywhere. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blob = (mediaType: string, bytes: Buffer | string, annotations?: Readonly<Record<string, string>>): Blob => {
  const content = Buffer.from(bytes);
  const descriptor = { mediaType, digest: sha256(content), size: content.length, ...(annotations === undefined ? {} : { annotations }) };
  return { descriptor, bytes: content };
};

const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  empty: "application/vnd.oci.empty.v1+json",
};

const created = "2026-01-01T00:00:00Z";
const configOf = (diffIds: readonly string[]): Blob =>
  blob(types.config, JSON.stringify({ architecture: "amd64", os: "linux", created, config: { Cmd: ["x"] }, rootfs: { type: "layers", diff_ids: diffIds } }));

function manifest(config: Blob, layers: readonly Blob[], more: Readonly<Record<string, unknown>> = {}): RawManifest {
  const document = { schemaVersion: 2, mediaType: types.manifest, ...more, config: config.descriptor, layers: layers.map(({ descriptor }) => descriptor) };
  return { mediaType: types.manifest, bytes: Buffer.from(JSON.stringify(document)), blobs: [config, ...layers].map(({ bytes }) => bytes), manifests: [] };
}

function index(manifests: readonly RawManifest[], platform?: Descriptor["platform"]): RawManifest {
  const children = manifests.map(({ mediaType, bytes }) => ({ ...blob(mediaType, bytes).descriptor, ...(platform === undefined ? {} : { platform }) }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: children }));
  return { mediaType: types.index, bytes, blobs: [], manifests };
}

const amd64 = { os: "linux", architecture: "amd64" };
const tar = await tarOf([{ name: "odd", data: "odd" }]);
const gzip = gzipSync(tar);
const gzipLayer = blob(`${types.layer}+gzip`, gzip);
const plain = manifest(configOf([sha256(tar)]), [blob(types.layer, tar)]);
const lazy = await estargzLayer([{ name: "lazy", data: "read when it is wanted" }]);
const artifact = manifest(blob(types.empty, "{}"), [blob("text/plain", "no image\n", { "org.opencontainers.image.title": "note.txt" })], {
  artifactType: "application/vnd.example.note",
});

/** By tag. */
export const oddImages: Readonly<Record<string, RawManifest>> = {
  plain,
  gzip: manifest(configOf([sha256(tar)]), [gzipLayer]),
  zstd: manifest(configOf([sha256(tar)]), [blob(`${types.layer}+zstd`, zstdCompressSync(tar))]),
  estargz: manifest(configOf([sha256(lazy.tar)]), [
    blob(`${types.layer}+gzip`, lazy.gzip, {
      "containerd.io/snapshot/stargz/toc.digest": lazy.toc,
      "io.containers.estargz.uncompressed-size": String(lazy.tar.length),
    }),
  ]),
  artifact,
  "artifact-index": index([artifact]),
  "artifact-platform": index([artifact], amd64),
  chart: manifest(blob("application/vnd.cncf.helm.config.v1+json", '{"name":"chart","version":"0.1.0"}'), [
    blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", gzip),
  ]),
  signature: manifest(configOf([sha256(Buffer.from("{}"))]), [blob("application/vnd.dev.cosign.simplesigning.v1+json", "{}")]),
  "no-platform": index([plain]),
  nested: index([index([plain], amd64)], amd64),
  "nested-bare": index([index([plain], amd64)]),
  "empty-index": index([]),
  "one-diff-id": manifest(configOf([sha256(tar)]), [gzipLayer, blob(`${types.layer}+gzip`, gzipSync(await tarOf([{ name: "more", data: "more" }])))]),
  "wrong-diff-id": manifest(configOf([`sha256:${"0".repeat(64)}`]), [gzipLayer]),
  "junk-layer": manifest(configOf([sha256(Buffer.from("junk"))]), [blob(`${types.layer}+gzip`, "junk")]),
  "junk-config": manifest(blob(types.config, "junk"), [gzipLayer]),
  "no-diff-ids": manifest(blob(types.config, JSON.stringify({ architecture: "amd64", os: "linux" })), [gzipLayer]),
  "strange-layer": manifest(configOf([sha256(tar)]), [blob("application/x-strange", gzip)]),
  scratch: manifest(configOf([]), []),
};
