import type { Readable } from "node:stream";
import type { ImageConfigFile } from "#api/oci.ts";
import type { ImageInspect, ImageSummary, PullProgress } from "#api/images.ts";
import type { RegistryAuth } from "../registry/registry.ts";
import type { Descriptor, Digest } from "../content/content.ts";

/** An image ready to run on this platform. */
export interface ResolvedImage {
  /** Index or manifest digest: what Docker shows as the image's Id. */
  readonly id: Digest;
  readonly manifest: Descriptor;
  readonly config: ImageConfigFile;
  readonly layers: readonly Digest[];
}

/** What containers need of images. */
export interface ImageResolver {
  /** By reference, id, id prefix or repo digest; notFound with Docker's sentence `No such image: x`. */
  resolve(reference: string, platform?: string): Promise<ResolvedImage>;
}

export interface ImageStore extends ImageResolver {
  list(opts: { all: boolean; filters: Readonly<Record<string, readonly string[]>>; manifests: boolean }): Promise<ImageSummary[]>;
  inspect(reference: string): Promise<ImageInspect>;
  tag(source: string, target: string): Promise<void>;
  /** Untags, and deletes what nothing refers to any more. `inUse` answers which container holds an image (conflict unless `force`). */
  remove(
    reference: string,
    opts: { force: boolean; prune: boolean; inUse: (id: Digest) => string | undefined },
  ): Promise<({ Untagged: string } | { Deleted: string })[]>;
  /** Reads a `docker save` tar or OCI layout tar. Yields progress messages as `docker load` prints them. */
  load(tar: Readable, opts: { signal: AbortSignal }): AsyncIterable<PullProgress>;
  pull(opts: { reference: string; platform?: string; auth?: RegistryAuth; signal: AbortSignal }): AsyncIterable<PullProgress>;
}
