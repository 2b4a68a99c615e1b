import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { Registries, RegistryAuth, RegistryReader } from "#core/registry/registry.ts";
import { codeOf, EngineError, isClass } from "#base/errors.ts";
import { Authorizer } from "./authorizer.ts";
import { endpointsOf, type Endpoint, type EndpointOptions } from "./endpoints.ts";
import { HttpClient, type HttpProxies, readBody, type HttpResponse } from "./http-client.ts";

/** What we can read, most wanted first. */
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const manifestBytesMax = 8 * 1024 * 1024;
const errorBytesMax = 64 * 1024;

export interface RegistriesOptions extends EndpointOptions {
  /** `slipway/0.1.0`: registries log it. */
  readonly userAgent: string;
  /** Absent or empty: none. */
  readonly proxies?: HttpProxies;
}

/** Registries over HTTP/1.1 (distribution-spec). */
export function openRegistries(options: RegistriesOptions): Registries {
  const http = new HttpClient(options.userAgent, options.proxies);
  return {
    open: (domain, auth = {}) => new MirroredReader(endpointsOf(domain, options).map((endpoint) => new HttpReader(http, endpoint, auth))),
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

  manifest(repository: string, reference: string, opts: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    return this.#first(opts.signal, (reader) => reader.manifest(repository, reference, opts));
  }

  blob(repository: string, digest: Digest, opts: { offset: number; signal: AbortSignal }): Promise<{ offset: number; body: Readable }> {
    return this.#first(opts.signal, (reader) => reader.blob(repository, digest, opts));
  }

  check(opts: { signal: AbortSignal }): Promise<void> {
    return this.#first(opts.signal, (reader) => reader.check(opts));
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

class HttpReader implements RegistryReader {
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  #endpoint: Endpoint;

  constructor(http: HttpClient, endpoint: Endpoint, auth: RegistryAuth) {
    this.#http = http;
    this.#endpoint = endpoint;
    this.#authorizer = new Authorizer(http, auth, endpoint.insecure);
  }

  async manifest(repository: string, reference: string, { signal }: { signal: AbortSignal }): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    const response = await this.#get(repository, `manifests/${reference}`, { signal, headers: { accept: manifestTypes.join(", ") } });
    const bytes = await readBody(response, manifestBytesMax);
    const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (reference.startsWith("sha256:") && reference !== digest) {
      throw new EngineError("invalidArgument", `manifest verification failed for digest ${reference}: the registry sent ${digest}`);
    }
    return { descriptor: { mediaType: mediaTypeOf(response, bytes), digest, size: bytes.length }, bytes };
  }

  async tags(repository: string, { signal }: { signal: AbortSignal }): Promise<readonly string[]> {
    const tags: string[] = [];
    for (let path: string | undefined = "tags/list?n=1000"; path !== undefined; ) {
      const response: HttpResponse = await this.#get(repository, path, { signal, headers: {} });
      const answer = JSON.parse((await readBody(response, manifestBytesMax)).toString("utf8")) as { tags?: string[] | null };
      tags.push(...(answer.tags ?? []));
      // The next page is `</v2/NAME/tags/list?n=..&last=..>; rel="next"`.
      const next = /<[^>]*\/(tags\/list\?[^>]*)>;\s*rel="?next"?/.exec(response.headers.link?.toString() ?? "")?.[1];
      path = (answer.tags ?? []).length === 0 ? undefined : next;
    }
    return tags;
  }

  async blob(repository: string, digest: Digest, { offset, signal }: { offset: number; signal: AbortSignal }): Promise<{ offset: number; body: Readable }> {
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = await this.#get(repository, `blobs/${digest}`, { signal, headers });
    if (response.status !== 206) return { offset: 0, body: response.body };
    const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
    return { offset: start === undefined ? offset : Number(start), body: response.body };
  }

  async check({ signal }: { signal: AbortSignal }): Promise<void> {
    // The base of the API asks for no scope: any accepted identity will do.
    const response = await this.#ask("v2/", "", { signal, headers: {} });
    response.body.resume();
  }

  #get(repository: string, path: string, opts: { signal: AbortSignal; headers: Record<string, string> }): Promise<HttpResponse> {
    return this.#ask(`v2/${repository}/${path}`, `repository:${repository}:pull`, opts);
  }

  async #ask(path: string, scope: string, opts: { signal: AbortSignal; headers: Record<string, string> }): Promise<HttpResponse> {
    let response = await this.#fetch(path, scope, opts);
    if (response.status === 401) {
      const challenge = response.headers["www-authenticate"];
      const refused = await failureOf(response);
      if (challenge === undefined) throw refused;
      const had = this.#authorizer.known(scope);
      const header = await this.#authorizer.answer(challenge, scope, opts.signal);
      // The same credentials refused once are refused again.
      if (header === had) throw refused;
      response = await this.#fetch(path, scope, opts);
    }
    if (response.status === 200 || response.status === 206) return response;
    throw await failureOf(response);
  }

  async #fetch(path: string, scope: string, opts: { signal: AbortSignal; headers: Record<string, string> }): Promise<HttpResponse> {
    const authorization = this.#authorizer.known(scope);
    const ask = (once: boolean): Promise<HttpResponse> =>
      this.#http.fetch(new URL(path, this.#endpoint.base), {
        signal: opts.signal,
        insecure: this.#endpoint.insecure,
        once,
        headers: { ...opts.headers, ...(authorization === undefined ? {} : { authorization }) },
      });
    return this.#endpoint.otherScheme ? await this.#eitherScheme(ask) : await ask(false);
  }

  /** Insecure registries speak http or https: a TLS server answers plain http with 400 or hangs up. Decided by the first answer. */
  async #eitherScheme(ask: (once: boolean) => Promise<HttpResponse>): Promise<HttpResponse> {
    const plain = this.#endpoint;
    try {
      const response = await ask(true);
      if (response.status !== 400) this.#endpoint = { ...plain, otherScheme: false };
      if (response.status < 500 && ![400, 429].includes(response.status)) return response;
      response.body.resume();
      if (response.status !== 400) return await ask(false);
    } catch (error) {
      const cause = error instanceof Error ? codeOf(error.cause) : undefined;
      if (!isClass(error, "unavailable") || !(cause?.startsWith("HPE_") || cause === "ECONNRESET")) throw error;
    }
    this.#endpoint = { ...plain, base: new URL(plain.base.href.replace(/^http:/, "https:")), otherScheme: false };
    return await ask(false);
  }
}

function mediaTypeOf(response: HttpResponse, bytes: Buffer): string {
  const header = response.headers["content-type"]?.split(";")[0]?.trim();
  if (header !== undefined && manifestTypes.includes(header)) return header;
  const parsed = JSON.parse(bytes.toString("utf8")) as { mediaType?: string; schemaVersion?: number };
  if (parsed.mediaType !== undefined && manifestTypes.includes(parsed.mediaType)) return parsed.mediaType;
  throw new EngineError("invalidArgument", `unsupported manifest media type and no default available: ${parsed.mediaType ?? header ?? "none"}`);
}

/** The registry's own words (`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`), in Docker's form `manifest unknown: manifest unknown`. */
async function failureOf(response: HttpResponse): Promise<EngineError> {
  const text = (await readBody(response, errorBytesMax)).toString("utf8");
  const said = firstError(text) ?? `unexpected status code ${response.status}`;
  if (response.status === 404) return new EngineError("notFound", said);
  if (response.status === 401 || response.status === 403) return new EngineError("unauthorized", said);
  return new EngineError("unavailable", response.status === 429 ? `toomanyrequests: ${said}` : said);
}

function firstError(text: string): string | undefined {
  try {
    const [error] = (JSON.parse(text) as { errors?: { code?: string; message?: string }[] }).errors ?? [];
    if (error?.code === undefined) return undefined;
    const code = error.code.toLowerCase().replaceAll("_", " ");
    return `${code}: ${error.message ?? code}`;
  } catch {
    return undefined;
  }
}
