import type { Readable } from "node:stream";
import type { ImageConfigFile, ImageRunConfig } from "#api/oci.ts";
import type { ImageDeleteItem, ImageHistoryItem, ImageInspect, ImagesPruneReport, ImageSummary, PullProgress, StoreCheck } from "#api/images.ts";
import type { ImageBrowser } from "./browsing.ts";
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

/** An image made here: a run configuration, and one layer of its own over those of another image. */
export interface ImageAddition {
  /** Manifest of the image it stands on. */
  readonly base?: Descriptor;
  /** That image's id, for the history. */
  readonly parent?: Digest;
  /** An uncompressed tar; absent where only the configuration is new. */
  readonly layer?: AsyncIterable<Uint8Array>;
  readonly config: ImageRunConfig;
  readonly author: string;
  readonly comment: string;
  /** The command that made the layer, for the history. */
  readonly createdBy: string;
  /** Reference with a tag; without one the image is dangling. */
  readonly name?: string;
}

export interface ImageMaker {
  /** Durable when it resolves with the new image's id. */
  add(addition: ImageAddition): Promise<Digest>;
}

/** What containers need of images. */
export interface ImageResolver {
  /** By reference, id, id prefix or repo digest; notFound with Docker's sentence `No such image: x`. Its layers are unpacked when it resolves. */
  resolve(reference: string, platform?: string): Promise<ResolvedImage>;
}

/** A container made of an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** Which containers are made of the image with this id. */
export type ImageUsers = (id: Digest) => readonly ImageUser[];

export interface ImageListOptions {
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly manifests: boolean;
  readonly sharedSize: boolean;
  readonly users: ImageUsers;
}

export interface ImageStore extends ImageResolver, ImageMaker {
  readonly browser: ImageBrowser;
  list(opts: ImageListOptions): Promise<ImageSummary[]>;
  /** Bytes of every blob and of every layer, unpacked, whatever shares them: what images take altogether, without those in the trash. */
  totalBytes(): Promise<number>;
  inspect(reference: string, opts?: { manifests?: boolean; platform?: string; users?: ImageUsers }): Promise<ImageInspect>;
  history(reference: string, opts?: { platform?: string }): Promise<ImageHistoryItem[]>;
  tag(source: string, target: string): Promise<void>;
  /** Untags, and deletes what nothing refers to any more. Conflict where containers or other names hold it (unless `force`, and never for running ones). */
  remove(reference: string, opts: { force: boolean; users: ImageUsers }): Promise<ImageDeleteItem[]>;
  /** Deletes what an image has for these platforms; its name, and whatever else it has, stay. */
  removePlatforms(reference: string, platforms: readonly string[], opts: { force: boolean; users: ImageUsers }): Promise<ImageDeleteItem[]>;
  /** Deletes images without a name, or with `dangling=false` all that no container uses. */
  prune(opts: { filters: Readonly<Record<string, readonly string[]>>; users: ImageUsers }): Promise<ImagesPruneReport>;
  /** Reads a `docker save` tar or OCI layout tar, plain or compressed. Yields progress messages as `docker load` prints them. */
  load(tar: Readable, opts: { platform?: string; signal: AbortSignal }): AsyncIterable<PullProgress>;
  /** A tar of the named images, whole or for one platform, readable by `docker load` and as an OCI layout. Rejects before the first byte when one is not here. */
  save(references: readonly string[], opts: { platform?: string; signal: AbortSignal }): Promise<AsyncIterable<Buffer>>;
  /** Rejects before the first message where dockerd answers with a status; ends with the digest and status lines. Without tag and digest: every tag. */
  pull(opts: { reference: string; platform?: string; auth?: RegistryAuth; signal: AbortSignal }): AsyncIterable<PullProgress>;
  /** Sends what the registry lacks. The first message comes at once: whatever fails is told after it, as dockerd does. Without a tag: every tag. */
  push(opts: { reference: string; platform?: string; auth?: RegistryAuth; signal: AbortSignal }): AsyncIterable<PullProgress>;
  /** Makes an image of one layer out of a root file system's tar, plain or compressed. */
  import(opts: { tar: Readable; config: ImageRunConfig; message: string; platform?: string; name?: string; signal: AbortSignal }): Promise<Digest>;
  /** Reads all there is and tells what is not as it should be. */
  check(opts: { signal: AbortSignal }): Promise<StoreCheck>;
}
