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
  /** What a tag stands for, without its bytes; undefined where the registry does not tell. */
  head(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<Descriptor | undefined>;
  /**
   * Logs in: resolves when the registry accepts the identity it is spoken to with, to the identity token that stands for it from now on
   * ("" where the registry hands out none); class unauthorized when it does not.
   */
  login(opts: { signal: AbortSignal }): Promise<string>;
  /** By tag or digest; by digest the bytes are verified. */
  manifest(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  /** Every tag of a repository. */
  tags(repository: string, opts: { signal: AbortSignal }): Promise<readonly string[]>;
  /**
   * Resumes at `offset` by Range when the registry can; the returned offset says where the stream really starts. Not verified: the ingest does.
   * `urls`: where else its maker hands it out (foreign layers); these are asked first, and never shown credentials.
   */
  blob(
    repository: string,
    digest: Digest,
    opts: { offset: number; urls?: readonly string[] | undefined; signal: AbortSignal },
  ): Promise<{ offset: number; body: Readable }>;
}

/**
 * A blob to upload; `open` may be called again for another attempt, from where the registry has it. A chunk of it is done with before the next
 * is asked for.
 */
export interface BlobUpload {
  readonly digest: Digest;
  readonly size: number;
  open(start: number): AsyncIterable<Buffer>;
  /** Another repository of the same registry that may have it: then nothing needs to be sent. */
  readonly mountFrom?: string;
  /** Bytes that have been sent. */
  readonly onProgress?: (bytes: number) => void;
}

/** Writing side of a registry. Same errors as the reading side. */
export interface RegistryWriter {
  hasBlob(repository: string, digest: Digest, opts: { signal: AbortSignal }): Promise<boolean>;
  /** Taken up again where it stopped after a cut. */
  pushBlob(repository: string, blob: BlobUpload, opts: { signal: AbortSignal }): Promise<"uploaded" | "mounted">;
  /** Under a tag or its digest. */
  pushManifest(repository: string, reference: string, manifest: { descriptor: Descriptor; bytes: Buffer }, opts: { signal: AbortSignal }): Promise<void>;
}

/** Row of a registry's search (moby's SearchResult). */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

/** Registries by their domain, as image references name them. */
export interface Registries extends AsyncDisposable {
  /** A conversation with one registry under one identity; remembers its tokens. `docker.io` goes through the configured mirrors first. */
  open(domain: string, auth?: RegistryAuth): RegistryReader;
  /** The same for writing, past all mirrors. */
  openWriter(domain: string, auth?: RegistryAuth): RegistryWriter;
  /** Asks the registry's index for names; class notImplemented where it has none. */
  search(domain: string, query: { term: string; limit: number }, opts: { auth?: RegistryAuth; signal: AbortSignal }): Promise<readonly SearchResult[]>;
}
