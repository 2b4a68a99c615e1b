import type { ImageRunConfig } from "./oci.ts";

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
  Descriptor?: unknown;
  Manifests?: unknown[];
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent?: string;
  Comment?: string;
  Created: string;
  Author?: string;
  Config: ImageRunConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  GraphDriver?: { Data: null; Name: string };
  RootFS: { Type: "layers"; Layers: string[] };
  Metadata: { LastTagTime: string };
  Descriptor?: unknown;
  Manifests?: unknown[];
}

/** One JSON line of pull, push, load (moby's jsonmessage). */
export interface PullProgress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
  readonly aux?: unknown;
}
