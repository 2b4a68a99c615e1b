import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { RegistryReader } from "#core/registry/registry.ts";
import { EngineError } from "#base/errors.ts";
import type { Conversation } from "./conversation.ts";
import { parseAnswer, readBody, type HttpResponse } from "./http-client.ts";

/** What we can read, most wanted first. */
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const manifestBytesMax = 8 * 1024 * 1024;
const tagsMax = 100_000;

/** The pull half of the distribution-spec. */
export class HttpReader implements RegistryReader {
  readonly #registry: Conversation;

  constructor(registry: Conversation) {
    this.#registry = registry;
  }

  async head(repository: string, reference: string, { signal }: { signal: AbortSignal }): Promise<Descriptor | undefined> {
    const response = await this.#registry.ask(`v2/${repository}/manifests/${reference}`, pullScope(repository), {
      method: "HEAD",
      headers: { accept: manifestTypes.join(", ") },
      accept: [200, 405, 501],
      signal,
    });
    response.body.resume();
    if (response.status !== 200) return undefined;
    const digest = response.headers["docker-content-digest"];
    const mediaType = response.headers["content-type"]?.split(";")[0]?.trim() ?? "";
    const size = Number(response.headers["content-length"]);
    if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest) || !manifestTypes.includes(mediaType) || !(size > 0)) return undefined;
    return { mediaType, digest: digest as Digest, size };
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
      if (tags.length > tagsMax) throw new EngineError("unavailable", `${repository}: the registry lists more than ${tagsMax} tags`);
      const response: HttpResponse = await this.#get(repository, path, { signal });
      const page = tagsOf(await readBody(response, manifestBytesMax), repository);
      tags.push(...page);
      // The next page is `</v2/NAME/tags/list?n=..&last=..>; rel="next"`.
      const next = /<[^>]*\/(tags\/list\?[^>]*)>;\s*rel="?next"?/.exec(response.headers.link?.toString() ?? "")?.[1];
      path = page.length === 0 ? undefined : next;
    }
    return tags;
  }

  async blob(
    repository: string,
    digest: Digest,
    { offset, urls = [], signal }: { offset: number; urls?: readonly string[] | undefined; signal: AbortSignal },
  ): Promise<{ offset: number; body: Readable }> {
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = (await this.#elsewhere(urls, { signal, headers })) ?? (await this.#get(repository, `blobs/${digest}`, { signal, headers }));
    if (response.status !== 206) return { offset: 0, body: response.body };
    const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
    return { offset: start === undefined ? offset : Number(start), body: response.body };
  }

  async login({ signal }: { signal: AbortSignal }): Promise<string> {
    // The base of the API asks for no scope: any accepted identity will do.
    const response = await this.#registry.ask("v2/", "", { signal, accept: [200] });
    response.body.resume();
    return this.#registry.identity;
  }

  /** The first of the addresses that has it. */
  async #elsewhere(urls: readonly string[], opts: { signal: AbortSignal; headers: Readonly<Record<string, string>> }): Promise<HttpResponse | undefined> {
    for (const url of urls) {
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) continue;
      try {
        return await this.#registry.ask(url, "", { ...opts, accept: [200, 206] });
      } catch {
        opts.signal.throwIfAborted();
      }
    }
    return undefined;
  }

  #get(repository: string, path: string, opts: { signal: AbortSignal; headers?: Readonly<Record<string, string>> }): Promise<HttpResponse> {
    return this.#registry.ask(`v2/${repository}/${path}`, pullScope(repository), { ...opts, accept: [200, 206] });
  }
}

function tagsOf(body: Buffer, repository: string): string[] {
  const { tags } = parseAnswer(body, `the list of tags of ${repository}`);
  if (tags === null || tags === undefined) return [];
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string")) return tags;
  throw new EngineError("unavailable", `the registry's answer to the list of tags of ${repository} is none`);
}

const pullScope = (repository: string): string => `repository:${repository}:pull`;

function mediaTypeOf(response: HttpResponse, bytes: Buffer): string {
  const header = response.headers["content-type"]?.split(";")[0]?.trim();
  if (header !== undefined && manifestTypes.includes(header)) return header;
  const parsed = parse(bytes);
  if (parsed.mediaType !== undefined && manifestTypes.includes(parsed.mediaType)) return parsed.mediaType;
  throw new EngineError("invalidArgument", `unsupported manifest media type and no default available: ${parsed.mediaType ?? header ?? "none"}`);
}

function parse(bytes: Buffer): { mediaType?: string } {
  try {
    return (JSON.parse(bytes.toString("utf8")) ?? {}) as { mediaType?: string };
  } catch {
    return {};
  }
}
