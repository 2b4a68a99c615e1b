import { readIgnoreFile } from "#api/dockerignore.ts";
import { EngineError } from "#base/errors.ts";
import { layoutPurl } from "#core/builds/purl.ts";
import type { LayoutImage, NamedContext } from "#core/builds/request.ts";
import type { FileTree } from "#core/builds/tree.ts";
import type { Digest } from "#core/content/content.ts";
import { assertMatching, isAttestation, isManifestType, parseConfig, parseIndex, parseJson, parseManifest } from "#core/images/manifests.ts";
import { formatPlatform, type Platform, rankPlatform } from "#core/images/platform.ts";
import { arriving, ignoreFile } from "./client-folders.ts";
import { readContent, readDocument } from "./client-content.ts";
import { type Frontend, shown } from "./frontend-work.ts";
import type { RemoteContext } from "./remote-context.ts";

/** What `--build-context NAME=VALUE` stands for, nothing of which is fetched before it is asked for; `remote`: fetches an address. */
export function namedContext(frontend: Frontend, name: string, value: string, remote: (address: string) => Promise<RemoteContext>): NamedContext {
  const [, kind, rest = ""] = /^(docker-image:\/\/|oci-layout:\/\/|input:|local:)(.+)$/.exec(value) ?? [];
  switch (kind) {
    case "docker-image://":
      return { kind: "image", reference: rest };
    case "oci-layout://":
      return {
        kind: "layout",
        image: (platform) => shown(frontend.progress, `[context ${name}] OCI load from client`, () => layoutImage(frontend, { name, address: rest }, platform)),
      };
    case "input:":
      return { kind: "result", states: frontend.result(rest) };
    case "local:":
    case undefined:
    default: {
      let tree: Promise<FileTree> | undefined;
      const load = kind === "local:" ? () => localTree(frontend, name, rest) : async () => (await remote(value)).tree;
      return { kind: "files", tree: () => (tree ??= load()) };
    }
  }
}

/** A directory of the client's, without what its own .dockerignore names. */
async function localTree(frontend: Frontend, name: string, directory: string): Promise<FileTree> {
  const ignore = await ignoreFile(frontend, `[context ${name}] load .dockerignore`, { name: directory, what: name });
  const excludes = readIgnoreFile(ignore ?? "");
  return await arriving(frontend, `[context ${name}] load from client`, { name: directory, what: name, follow: [], excludes });
}

/** An image of an OCI layout that the client serves as a content store: `STORE:TAG@DIGEST`, as the stock clients name it. */
async function layoutImage({ session, signal }: Frontend, { name, address }: { name: string; address: string }, platform: Platform): Promise<LayoutImage> {
  const [, id, top] = /^([^:@]+)(?::[^@]*)?@(sha256:[0-9a-f]{64})$/.exec(address) ?? [];
  if (id === undefined || top === undefined) throw new EngineError("invalidArgument", `oci-layout://${address} names no image by its digest`);
  const store = `oci:${id}`;
  const read = (digest: Digest): Promise<Buffer> => readDocument(session, store, digest, signal);
  let digest = top as Digest;
  let bytes = await read(digest);
  // An index may lead to another one.
  for (let depth = 0; "manifests" in parseJson(bytes, digest); depth += 1) {
    if (depth === indexDepthMax) throw new EngineError("invalidArgument", `${top}: its indexes lead nowhere`);
    digest = suited(bytes, digest, platform);
    bytes = await read(digest);
  }
  const manifest = parseManifest(bytes, digest);
  const config = parseConfig(await read(manifest.config.digest), manifest.config.digest);
  assertMatching(manifest, config.rootfs.diff_ids);
  const material = { uri: layoutPurl(name, { digest: top as Digest, platform }), digest: { sha256: top.slice("sha256:".length) } };
  return { material, config, layers: manifest.layers, open: (blob) => readContent(session, store, blob, signal) };
}

const indexDepthMax = 4;
/** Of what names no platform. */
const lastRank = Number.MAX_SAFE_INTEGER;

function suited(bytes: Buffer, digest: Digest, platform: Platform): Digest {
  const ranked = parseIndex(bytes, digest)
    .manifests.filter((one) => !isAttestation(one))
    .map((one) => ({ one, rank: one.platform === undefined || !isManifestType(one.mediaType) ? lastRank : rankPlatform(platform, one.platform) }))
    .filter(({ rank }) => rank !== undefined)
    .toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const [best] = ranked;
  if (best === undefined) throw new EngineError("notFound", `${digest}: no match for platform ${formatPlatform(platform)} in the layout's index`);
  return best.one.digest;
}
