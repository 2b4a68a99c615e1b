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

/**
 * Reading side of a registry (OCI distribution-spec). Errors carry Docker's classes and the registry's own words:
 * notFound, unauthorized (also when the registry hides what it denies), unavailable.
 */
export interface RegistryReader {
  /** Resolves when the registry accepts the identity it is spoken to with; class unauthorized when it does not. */
  check(opts: { signal: AbortSignal }): Promise<void>;
  /** By tag or digest; by digest the bytes are verified. */
  manifest(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  /** Every tag of a repository. */
  tags(repository: string, opts: { signal: AbortSignal }): Promise<readonly string[]>;
  /** Resumes at `offset` by Range when the registry can; the returned offset says where the stream really starts. Not verified: the ingest does. */
  blob(repository: string, digest: Digest, opts: { offset: number; signal: AbortSignal }): Promise<{ offset: number; body: Readable }>;
}

/** Registries by their domain, as image references name them. */
export interface Registries extends AsyncDisposable {
  /** A conversation with one registry under one identity; remembers its tokens. `docker.io` goes through the configured mirrors first. */
  open(domain: string, auth?: RegistryAuth): RegistryReader;
}
