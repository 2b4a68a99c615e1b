import type { HostConfig } from "#api/containers.ts";
import type { PullProgress } from "#api/images.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import type { RegistryAuth } from "../registry/registry.ts";
import type { Descriptor, Digest } from "../content/content.ts";
import type { CheckWarning } from "../dockerfile/check.ts";
import type { Dockerfile } from "../dockerfile/instructions.ts";
import type { Source } from "../dockerfile/source.ts";
import type { Platform } from "../images/platform.ts";
import type { CacheRecord } from "./cache.ts";
import type { Flavor } from "./run-config.ts";
import type { BuildArgs } from "./scope.ts";
import type { StageState } from "./state.ts";
import type { FileTree } from "./tree.ts";
import type { BuildMaterial } from "./work.ts";

/** Everything that a build is asked for. */
export interface BuildRequest {
  readonly flavor: Flavor;
  readonly source: Source;
  readonly dockerfile: Dockerfile;
  /** "": the last stage. */
  readonly target: string;
  readonly args: BuildArgs;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether a stage's steps run though they are cached. */
  readonly ignoresCache: (stage: string) => boolean;
  /** Asks the registry for base images although they are here. */
  readonly pull: boolean;
  readonly platform: Platform | undefined;
  /** Limits, network and hosts of RUN. */
  readonly hostConfig: HostConfig;
  /** The files to copy from; asked for only when an instruction needs them. */
  readonly context: () => Promise<FileTree>;
  /** `--build-context NAME=...`: other files or another image under a name. */
  readonly named: ReadonlyMap<string, NamedContext>;
  readonly auth: (image: string) => Promise<RegistryAuth | undefined>;
  readonly secret: (id: string) => Promise<Buffer | undefined>;
  /** A socket of the client's agent, for as long as it is not disposed. */
  readonly ssh: (id: string) => Promise<(AsyncDisposable & { readonly path: string }) | undefined>;
  /** The result of a step from a cache elsewhere, its layer here by then. */
  readonly imported?: (key: string) => Promise<CacheRecord | undefined>;
  /** Images whose histories are the cache, instead of the one here. */
  readonly cacheFrom?: readonly string[];
  /** SOURCE_DATE_EPOCH, in seconds. */
  readonly epoch: number | undefined;
  /** `--allow`: what steps may ask for beyond a container's rights. */
  readonly entitlements?: readonly string[];
  /** Looks through the result, and through what else the Dockerfile names for it. */
  readonly scanner?: ScannerRequest;
  /** What its contexts came from, as far as they were fetched by then. */
  readonly materials?: readonly BuildMaterial[];
  readonly observer: BuildObserver;
  /** Told what only shows while it is built; throws where that ends the build. */
  readonly warn?: (warning: CheckWarning) => void;
  readonly signal: AbortSignal;
}

/** An image that lists what is in others. */
export interface ScannerRequest {
  readonly reference: string;
  /** What else it is told. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type NamedContext =
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "files"; readonly tree: () => Promise<FileTree> }
  | { readonly kind: "layout"; readonly image: (platform: Platform) => Promise<LayoutImage> }
  /** What another build has given, for each of its platforms. */
  | { readonly kind: "result"; readonly states: readonly StageState[] };

/** An image that lies elsewhere, in no registry. */
export interface LayoutImage {
  /** As provenance names it. */
  readonly material: BuildMaterial;
  readonly config: ImageConfigFile;
  /** Lowest first, as many as the configuration has. */
  readonly layers: readonly Descriptor[];
  readonly open: (blob: Digest) => AsyncIterable<Buffer>;
}

export interface StageLabel {
  /** As the file names it; empty: not at all. */
  readonly name: string;
  /** What its steps are shown under; empty: it is the only one. */
  readonly shown: string;
}

/** One instruction of a build. */
export interface StepInfo {
  readonly kind: "from" | "layer" | "config";
  readonly stage: StageLabel;
  /** Among all instructions of the file, from 1. */
  readonly number: number;
  readonly total: number;
  /** Among those of its stage that make something, from 1, its FROM included where it names an image; 0: it is none of them. */
  readonly place: number;
  readonly places: number;
  readonly text: string;
}

/** Told what becomes of a step, in this order; the last is `finished` or `failed`. */
export interface StepWatch {
  /** Its command runs. */
  running(id: string): void;
  output(stream: "stdout" | "stderr", chunk: Buffer): void | Promise<void>;
  cached(): void;
  /** How an image comes. */
  pulling(message: PullProgress): void;
  /** `image`: what it would be as an image. */
  finished(image: () => Digest | undefined): void;
  failed(error: unknown): void;
}

export interface BuildObserver {
  step(info: StepInfo): StepWatch;
  /** BuildKit asks what a base image stands for before the step that stands on it; `name`: whole. */
  finding(name: string): Pick<StepWatch, "finished" | "failed">;
  /** Work beside the file's steps: an image that is copied from, a scan. */
  beside(text: string): StepWatch;
  /** Lines that belong to no step. */
  say(text: string): void;
}
