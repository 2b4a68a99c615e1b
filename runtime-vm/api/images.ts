import type { ImageRunConfig } from "./oci.ts";

/** OCI content descriptor as the API shows it. */
export interface ImageDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: ImagePlatform;
}

export interface ImagePlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** One manifest of an image, `manifests=true`. */
export interface ImageManifestSummary {
  ID: string;
  Descriptor: ImageDescriptor;
  Available: boolean;
  Size: { Content: number; Total: number };
  Kind: "image" | "attestation" | "unknown";
  ImageData?: { Platform: ImagePlatform; Size: { Unpacked: number }; Containers: string[] | null };
  AttestationData?: { For: string };
}

/** Row of `GET /images/{name}/history`. */
export interface ImageHistoryItem {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** `POST /images/prune`. */
export interface ImagesPruneReport {
  ImagesDeleted: ImageDeleteItem[] | null;
  SpaceReclaimed: number;
}

export type ImageDeleteItem = { Untagged: string } | { Deleted: string };

/** Row of `GET /images/json`, as the containerd image store answers. */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  Created: number;
  Size: number;
  SharedSize: number;
  Containers: number;
  Labels: Record<string, string> | null;
  Descriptor?: ImageDescriptor;
  Manifests?: ImageManifestSummary[];
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent?: string;
  Comment?: string;
  Created?: string;
  Author?: string;
  DockerVersion?: string;
  Config?: ImageRunConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  GraphDriver?: { Data: null; Name: string };
  RootFS: { Type?: string; Layers?: string[] };
  Metadata: { LastTagTime: string };
  Descriptor?: ImageDescriptor;
  Manifests?: ImageManifestSummary[];
}

/** One JSON line of pull, push, load (moby's jsonmessage). */
export interface PullProgress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number; readonly units?: string; readonly hidecounts?: true };
  readonly progress?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
  readonly aux?: unknown;
}

export interface StoreProblem {
  readonly Object: string;
  readonly Problem: string;
}

/** `GET /slipway/check`. */
export interface StoreCheck {
  readonly Checked: { readonly Images: number; readonly Blobs: number; readonly Layers: number; readonly Bytes: number; readonly Trash?: number };
  readonly Problems: readonly StoreProblem[];
}
