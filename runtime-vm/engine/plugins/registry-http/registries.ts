import type { Readable } from "node:stream";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { Registries, RegistryReader } from "#core/registry/registry.ts";
import { registryCertificates } from "./certificates.ts";
import { Conversation } from "./conversation.ts";
import { endpointsOf, registryEndpoint, type EndpointOptions } from "./endpoints.ts";
import { HttpClient, type HttpProxies } from "./http-client.ts";
import { HttpReader } from "./reader.ts";
import { searchIndex } from "./search.ts";
import { HttpWriter } from "./writer.ts";

export interface RegistriesOptions extends Omit<EndpointOptions, "certificates"> {
  /** `slipway/0.1.0`: registries log it. */
  readonly userAgent: string;
  /** Absent or empty: none. */
  readonly proxies?: HttpProxies;
  /** Where users keep certificates by registry (`/etc/docker/certs.d`). */
  readonly certificates?: string;
}

/** Registries over HTTP/1.1 (distribution-spec). */
export function openRegistries(options: RegistriesOptions): Registries {
  const http = new HttpClient(options.userAgent, options.proxies);
  const known = options.certificates === undefined ? {} : { certificates: registryCertificates(options.certificates) };
  // Asked at each use: a reload may have changed them.
  const endpoints = (): EndpointOptions => ({ insecureRegistries: options.insecureRegistries, mirrors: options.mirrors, ...known });
  return {
    open: (domain, auth = {}) => new MirroredReader(endpointsOf(domain, endpoints()).map((endpoint) => new HttpReader(new Conversation(http, endpoint, auth)))),
    openWriter: (domain, auth = {}) => new HttpWriter(new Conversation(http, registryEndpoint(domain, endpoints()), auth)),
    search: (domain, query, { auth = {}, signal }) =>
      searchIndex(http, registryEndpoint(domain === "docker.io" ? "index.docker.io" : domain, endpoints()), query, { auth, signal }),
    [Symbol.asyncDispose]: async () => {
      http[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}

/** Asks each endpoint in order; the last one's failure counts. */
class MirroredReader implements RegistryReader {
  readonly #readers: readonly HttpReader[];

  constructor(readers: readonly HttpReader[]) {
    this.#readers = readers;
  }

  head(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<Descriptor | undefined> {
    return this.#first(opts.signal, (reader) => reader.head(repository, reference, opts));
  }

  manifest(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    return this.#first(opts.signal, (reader) => reader.manifest(repository, reference, opts));
  }

  blob(
    repository: string,
    digest: Digest,
    opts: { offset: number; urls?: readonly string[] | undefined; signal: AbortSignal },
  ): Promise<{ offset: number; body: Readable }> {
    return this.#first(opts.signal, (reader) => reader.blob(repository, digest, opts));
  }

  /** Of the registry itself: a mirror takes anybody. */
  login(opts: { signal: AbortSignal }): Promise<string> {
    return this.#readers.at(-1)!.login(opts);
  }

  tags(repository: string, opts: { signal: AbortSignal }): Promise<readonly string[]> {
    return this.#first(opts.signal, (reader) => reader.tags(repository, opts));
  }

  async #first<T>(signal: AbortSignal, ask: (reader: HttpReader) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const reader of this.#readers) {
      try {
        return await ask(reader);
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }
}
