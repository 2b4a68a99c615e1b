import type { ImageDescriptor, ImageHistoryItem, ImageInspect, ImageManifestSummary, ImageSummary } from "#api/images.ts";
import type { ImageConfigFile, ImageRunConfig } from "#api/oci.ts";
import { familiarName, familiarRepository } from "#api/reference.ts";
import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import type { ImageUsers } from "#core/images/images.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import { referenceOf } from "./lookup.ts";
import type { Variant } from "./documents.ts";
import { isDangling, type ImageName } from "./names.ts";

/** What sizes are read from. */
export interface Stores {
  readonly content: ContentStore;
  readonly layers: LayerStore;
}

/** `RepoTags` and `RepoDigests` of an image's names. */
export function repoNames(names: readonly ImageName[]): { RepoTags: string[]; RepoDigests: string[] } {
  const refs = names.filter((image) => !isDangling(image)).map((image) => ({ ref: referenceOf(image), digest: image.target.digest }));
  const digests = refs.map(({ ref, digest }) => `${familiarRepository(ref)}@${ref.digest ?? digest}`);
  return { RepoTags: refs.map(({ ref }) => familiarName(ref)), RepoDigests: [...new Set(digests)] };
}

export function summaryOf(
  what: { target: Descriptor; names: readonly ImageName[]; variants: readonly Variant[]; best: Variant | undefined; parent: Digest | undefined },
  opts: { stores: Stores; users: ImageUsers; manifests: boolean; sharedSize: number },
): ImageSummary {
  const { target, names, variants, best } = what;
  const manifests = variants.map((variant) => manifestSummary(variant, opts.stores, variant === best ? opts.users(target.digest) : []));
  return {
    Containers: opts.users(target.digest).length,
    Created: created(best?.config) === undefined ? 0 : Math.floor(Date.parse(created(best?.config)!) / 1000),
    Id: target.digest,
    Labels: best?.config?.config?.Labels ? { ...best.config.config.Labels } : null,
    ParentId: what.parent ?? "",
    Descriptor: apiDescriptor(target),
    ...(opts.manifests ? { Manifests: manifests } : {}),
    ...repoNames(names),
    SharedSize: opts.sharedSize,
    Size: manifests.reduce((sum, { Size }) => sum + Size.Total, 0),
  };
}

/** `users`: the containers made of it. */
function manifestSummary(variant: Variant, stores: Stores, users: ReturnType<ImageUsers>): ImageManifestSummary {
  const { descriptor, kind, platform } = variant;
  const content = contentSize(variant, stores.content);
  const unpacked = unpackedSize(variant, stores.layers);
  return {
    ID: descriptor.digest,
    Descriptor: apiDescriptor(descriptor),
    Available: variant.available,
    Size: { Content: content, Total: content + unpacked },
    Kind: kind,
    ...(kind === "image" && platform !== undefined
      ? { ImageData: { Platform: { ...platform }, Size: { Unpacked: unpacked }, Containers: users.length === 0 ? null : users.map(({ id }) => id) } }
      : {}),
    ...(kind === "attestation" ? { AttestationData: { For: descriptor.annotations?.["vnd.docker.reference.digest"] ?? "" } } : {}),
  };
}

export function inspectOf(
  what: { target: Descriptor; names: readonly ImageName[]; best: Variant | undefined; shown: Descriptor; parent: Digest | undefined },
  opts: { stores: Stores; users: ImageUsers; manifests?: readonly Variant[] },
): ImageInspect {
  const { target, names, best, shown } = what;
  const config = best?.config;
  const lastTagged = names
    .map(({ updated }) => updated)
    .toSorted()
    .at(-1);
  const comment = config?.history?.at(-1)?.comment ?? "";
  return {
    Id: shown.digest,
    ...repoNames(names),
    Parent: what.parent ?? "",
    Comment: comment,
    ...(created(config) === undefined ? {} : { Created: created(config)! }),
    DockerVersion: "",
    Author: config?.author ?? "",
    Architecture: config?.architecture ?? "",
    ...(config?.variant ? { Variant: config.variant } : {}),
    Os: config?.os ?? "",
    ...(config?.["os.version"] ? { OsVersion: config["os.version"] } : {}),
    Size: (isIndex(target, best) ? target.size : 0) + (best === undefined ? 0 : contentSize(best, opts.stores.content)),
    GraphDriver: { Data: null, Name: "overlayfs" },
    RootFS: config === undefined ? {} : { Type: config.rootfs.type, ...(config.rootfs.diff_ids.length === 0 ? {} : { Layers: [...config.rootfs.diff_ids] }) },
    Metadata: { LastTagTime: lastTagged ?? "0001-01-01T00:00:00Z" },
    Descriptor: apiDescriptor(shown),
    ...(opts.manifests === undefined
      ? {}
      : { Manifests: opts.manifests.map((variant) => manifestSummary(variant, opts.stores, variant === best ? opts.users(target.digest) : [])) }),
    ...(config === undefined ? {} : { Config: runConfig(config.config ?? {}) }),
  };
}

/** `steps`: the image itself, and those it was made of here, each by one step more than the next. */
export function historyOf(
  steps: readonly { readonly id: Digest; readonly tags: readonly string[] }[],
  config: ImageConfigFile,
  layers: LayerStore,
): ImageHistoryItem[] {
  const sizes = config.rootfs.diff_ids.map((diffId) => layers.unpackedSize(diffId as Digest));
  let layer = 0;
  const rows = (config.history ?? []).map((step) => ({
    Comment: step.comment ?? "",
    Created: step.created === undefined ? 0 : Math.floor(Date.parse(step.created) / 1000),
    CreatedBy: step.created_by ?? "",
    Id: "<missing>",
    Size: step.empty_layer === true ? 0 : (sizes[layer++] ?? 0),
    Tags: null as string[] | null,
  }));
  return rows.toReversed().map((row, i) => {
    const step = steps[i];
    return step === undefined ? row : { ...row, Id: step.id, Tags: [...step.tags] };
  });
}

/** Bytes of the manifest, its config and its layers that are here. */
export function contentSize(variant: Variant, content: ContentStore): number {
  if (variant.manifest === undefined) return 0;
  const parts = [variant.descriptor, variant.manifest.config, ...variant.manifest.layers];
  return parts.reduce((sum, { digest, size }) => sum + (content.stat(digest) === undefined ? 0 : size), 0);
}

export const unpackedSize = (variant: Variant, layers: LayerStore): number =>
  (variant.kind === "image" ? (variant.config?.rootfs.diff_ids ?? []) : []).reduce((sum, diffId) => sum + layers.unpackedSize(diffId as Digest), 0);

const isIndex = (target: Descriptor, best: Variant | undefined): boolean => best === undefined || best.descriptor.digest !== target.digest;

/** A config's time; Go's zero time stands for none. */
const created = (config: ImageConfigFile | undefined): string | undefined => config?.created;

function apiDescriptor({ mediaType, digest, size, annotations, platform }: Descriptor): ImageDescriptor {
  return { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }), ...(platform === undefined ? {} : { platform }) };
}

/** The config with the fields that Docker always shows. */
function runConfig(config: ImageRunConfig): ImageRunConfig {
  return {
    ...config,
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    Env: config.Env ?? null,
    Labels: config.Labels ?? null,
    OnBuild: config.OnBuild ?? null,
    User: config.User ?? "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
  };
}
