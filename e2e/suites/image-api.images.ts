import { createHash } from "node:crypto";
import { type ImageEntry, type MadeImage, dockerArchive, makeImage, tarOf } from "../fixtures/image.ts";

/** Images of a few bytes that are the same everywhere: ids and sizes can be recorded. */
const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const file = (name: string, data: string): ImageEntry => ({ name, data });
const shared = [file("shared", "s".repeat(10_000))];

const app = await makeImage("app:1", [shared, [file("etc/motd", "hello")]], { Cmd: ["cat"], Labels: { a: "b" }, ExposedPorts: { "80/tcp": {} } });
const other = await makeImage("other:1", [shared, [file("only", "o".repeat(5_000))]]);
export const pushed: MadeImage = await makeImage("pushed:1", [[file("pushed", "p".repeat(2_000))]]);

/** An image for three platforms, with a note of how one of them was made. */
async function indexArchive(): Promise<Buffer> {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const manifests = [];
  for (const architecture of ["amd64", "arm64", "s390x"]) {
    const [layer] = (await makeImage("x", [[file("for", architecture)]])).layers;
    const config = json({
      architecture,
      os: "linux",
      created: "2026-01-01T00:00:00Z",
      config: { Cmd: [`/${architecture}`] },
      rootfs: { type: "layers", diff_ids: [layer!.diffId] },
      history: [{ created: "2026-01-01T00:00:00Z", created_by: "made on the spot" }],
    });
    const layers = [put("application/vnd.oci.image.layer.v1.tar+gzip", layer!.gzip)];
    const manifest = { schemaVersion: 2, mediaType: manifestType, config: put("application/vnd.oci.image.config.v1+json", config), layers };
    manifests.push({ ...put(manifestType, json(manifest)), platform: { os: "linux", architecture } });
  }
  const statement = json({ predicateType: "x" });
  const unknown = { architecture: "unknown", os: "unknown", config: {}, rootfs: { type: "layers", diff_ids: [sha256(statement)] } };
  const attestation = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: put("application/vnd.oci.image.config.v1+json", json(unknown)),
    layers: [put("application/vnd.in-toto+json", statement)],
  };
  manifests.push({
    ...put(manifestType, json(attestation)),
    annotations: { "vnd.docker.reference.digest": manifests[0]!.digest, "vnd.docker.reference.type": "attestation-manifest" },
    platform: { os: "unknown", architecture: "unknown" },
  });
  const index = put("application/vnd.oci.image.index.v1+json", json({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests }));
  const annotations = { "io.containerd.image.name": "docker.io/library/multi:1", "org.opencontainers.image.ref.name": "1" };
  return await tarOf([
    file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] })),
    ...[...blobs].map(([digest, data]) => ({ name: `blobs/sha256/${digest.slice(7)}`, data })),
  ]);
}

/** What a case may send. */
export const bodies: Readonly<Record<string, Buffer>> = {
  app: await dockerArchive([app]),
  two: await dockerArchive([app, other]),
  multi: await indexArchive(),
  nothing: Buffer.alloc(0),
  words: Buffer.from("hello, this is no archive"),
  cut: (await dockerArchive([app])).subarray(0, 3_000),
  tar: await tarOf([file("a", "imported")]),
};
