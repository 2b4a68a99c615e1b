import type { Readable } from "node:stream";
import type { Descriptor, Digest } from "../content/content.ts";

/** X-Registry-Auth, decoded (moby's AuthConfig). */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

/** Reading side of a registry (OCI distribution-spec). Errors carry Docker's classes: notFound, unauthorized, unavailable. */
export interface RegistryReader {
  manifest(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  /** Resumes at `offset` by Range when the registry can; the returned offset says where the stream really starts. */
  blob(repository: string, digest: Digest, opts: { offset: number; signal: AbortSignal }): Promise<{ offset: number; body: Readable }>;
}
