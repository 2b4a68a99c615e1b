import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { packTar, type TarFile } from "#core/layers/tar-writer.ts";

/** Images for tests, made on the spot: nothing is downloaded. */
export interface TestImage {
  readonly config: Buffer;
  readonly layers: readonly { readonly blob: Buffer; readonly tar: Buffer; readonly mediaType: string }[];
}

type Compression = "gzip" | "zstd" | "none";

const endings: Readonly<Record<Compression, string>> = { gzip: "+gzip", zstd: "+zstd", none: "" };
const compress: Readonly<Record<Compression, (tar: Buffer) => Buffer>> = {
  gzip: (tar) => gzipSync(tar),
  zstd: (tar) => zstdCompressSync(tar),
  none: (tar) => tar,
};

export const sha256 = (bytes: Uint8Array): `sha256:${string}` => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export function makeImage(
  layers: readonly (readonly TarFile[])[],
  opts: { compression?: Compression; architecture?: string; labels?: Record<string, string>; created?: string; diffIds?: readonly string[] } = {},
): TestImage {
  const compression = opts.compression ?? "gzip";
  const tars = layers.map((files) => packTar(files));
  const config = {
    architecture: opts.architecture ?? (process.arch === "arm64" ? "arm64" : "amd64"),
    os: "linux",
    created: opts.created ?? "2024-05-06T07:08:09Z",
    config: { Cmd: ["/bin/sh"], Env: ["PATH=/bin"], ...(opts.labels === undefined ? {} : { Labels: opts.labels }) },
    rootfs: { type: "layers", diff_ids: opts.diffIds ?? tars.map(sha256) },
    history: tars.map((_, i) => ({ created: "2024-05-06T07:08:09Z", created_by: `layer ${i}` })),
  };
  return {
    config: Buffer.from(JSON.stringify(config)),
    layers: tars.map((tar) => ({ tar, blob: compress[compression](tar), mediaType: `application/vnd.oci.image.layer.v1.tar${endings[compression]}` })),
  };
}

/** A layer with a busybox in it, where the machine has one. */
export const busyboxLayer = (): TarFile[] => {
  const path = ["/bin/busybox", "/usr/bin/busybox"].find((place) => existsSync(place));
  const body = path === undefined ? Buffer.from("no busybox here") : readFileSync(path);
  return [
    { name: "bin/", type: "5", mode: 0o755 },
    { name: "bin/busybox", mode: 0o755, body },
    { name: "bin/sh", type: "2", linkName: "busybox" },
  ];
};

export function manifestOf(image: TestImage): Buffer {
  const layers = image.layers.map(({ blob, mediaType }) => ({ mediaType, digest: sha256(blob), size: blob.length }));
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(image.config), size: image.config.length };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers }));
}

/** As `docker save` of before 25 wrote it. */
export function dockerArchive(image: TestImage, tags: readonly string[], opts: { links?: boolean } = {}): Buffer {
  const names = image.layers.map((_, i) => `layer${i}/layer.tar`);
  const manifest = Buffer.from(JSON.stringify([{ Config: "config.json", RepoTags: tags.length === 0 ? null : tags, Layers: names }]));
  const layers = image.layers.flatMap(({ blob }, i): TarFile[] => {
    const linked = opts.links === true ? image.layers.findIndex((other) => other.blob.equals(blob)) : i;
    return linked < i ? [{ name: names[i]!, type: "2", linkName: `../${names[linked]!}` }] : [{ name: names[i]!, body: blob }];
  });
  return packTar([...layers, { name: "config.json", body: image.config }, { name: "manifest.json", body: manifest }]);
}
