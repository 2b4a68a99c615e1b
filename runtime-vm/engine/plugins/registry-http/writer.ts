import type { Descriptor, Digest } from "#core/content/content.ts";
import type { BlobUpload, RegistryWriter } from "#core/registry/registry.ts";
import { delay } from "#base/deadline.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Conversation } from "./conversation.ts";
import type { HttpResponse } from "./http-client.ts";

/** Attempts in a row after which the registry took nothing more. */
const fruitlessMax = 5;
const pauseMs = 250;
/** For registries that take no large request (a proxy in front of them answers 413). */
const chunkBytes = 16 * 1024 * 1024;

/**
 * The push half of the distribution-spec ("Pushing blobs", "Mounting a blob from another repository"). A blob goes up in one PUT;
 * after a cut the registry is asked how much it has, and the rest follows in PATCH requests.
 */
export class HttpWriter implements RegistryWriter {
  readonly #registry: Conversation;

  constructor(registry: Conversation) {
    this.#registry = registry;
  }

  async hasBlob(repository: string, digest: Digest, { signal }: { signal: AbortSignal }): Promise<boolean> {
    const response = await this.#registry.ask(`v2/${repository}/blobs/${digest}`, scopeOf(repository), { method: "HEAD", accept: [200, 404], signal });
    response.body.resume();
    return response.status === 200;
  }

  async pushBlob(repository: string, blob: BlobUpload, { signal }: { signal: AbortSignal }): Promise<"uploaded" | "mounted"> {
    const upload = new Upload(this.#registry, repository, blob, signal);
    for (let fruitless = 0; ; ) {
      const before = upload.offset;
      try {
        return await upload.attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (!isClass(error, "unavailable")) throw error;
        fruitless = upload.offset > before ? 0 : fruitless + 1;
        if (fruitless === fruitlessMax) throw error;
        await delay(pauseMs * 2 ** fruitless, signal);
      }
    }
  }

  async pushManifest(
    repository: string,
    reference: string,
    { descriptor, bytes }: { descriptor: Descriptor; bytes: Buffer },
    { signal }: { signal: AbortSignal },
  ): Promise<void> {
    const headers = { "content-type": descriptor.mediaType, "content-length": String(bytes.length) };
    const path = `v2/${repository}/manifests/${reference}`;
    const response = await this.#registry.ask(path, scopeOf(repository), { method: "PUT", headers, body: bytes, accept: [200, 201, 202], signal });
    response.body.resume();
    const digest = response.headers["docker-content-digest"];
    if (digest !== undefined && digest !== descriptor.digest) {
      throw new EngineError("unavailable", `the registry made ${String(digest)} of the manifest ${descriptor.digest}`);
    }
  }
}

/** Sorted as containerd sorts them. */
const scopeOf = (repository: string, mountFrom?: string): string =>
  [`repository:${repository}:pull,push`, ...(mountFrom === undefined ? [] : [`repository:${mountFrom}:pull`])].join(" ");

/** One blob on its way, over any number of connections. */
class Upload {
  readonly #registry: Conversation;
  readonly #repository: string;
  readonly #blob: BlobUpload;
  readonly #signal: AbortSignal;
  /** Where the registry wants the bytes; undefined before it has said so. */
  #location: string | undefined;
  #mount: string | undefined;
  #chunked = false;
  /** What the registry is known to have. */
  offset = 0;

  constructor(registry: Conversation, repository: string, blob: BlobUpload, signal: AbortSignal) {
    this.#registry = registry;
    this.#repository = repository;
    this.#blob = blob;
    this.#signal = signal;
    this.#mount = blob.mountFrom;
  }

  async attempt(): Promise<"uploaded" | "mounted"> {
    if (this.#location === undefined) {
      if ((await this.#begin()) === "mounted") return "mounted";
    } else await this.#resume();
    const { size } = this.#blob;
    if (this.offset === 0 && !this.#chunked) await this.#put(size);
    else {
      while (this.offset < size) await this.#patch(Math.min(size, this.offset + (this.#chunked ? chunkBytes : size)));
      await this.#put(0);
    }
    return "uploaded";
  }

  async #begin(): Promise<"mounted" | "begun"> {
    const base = `v2/${this.#repository}/blobs/uploads/`;
    const query = this.#mount === undefined ? "" : `?${new URLSearchParams({ mount: this.#blob.digest, from: this.#mount }).toString()}`;
    const headers = { "content-length": "0" };
    const scope = scopeOf(this.#repository, this.#mount);
    const mounting = this.#mount !== undefined;
    try {
      const response = await this.#registry.ask(base + query, scope, { method: "POST", headers, accept: [201, 202], signal: this.#signal });
      response.body.resume();
      if (response.status === 201) return "mounted";
      this.#follow(response);
      return "begun";
    } catch (error) {
      // Whoever may not read there may still write here.
      if (!mounting || !(isClass(error, "unauthorized") || isClass(error, "notFound"))) throw error;
      this.#mount = undefined;
      return await this.#begin();
    }
  }

  /** How much the registry has after a cut; the upload begins anew where it does not tell. */
  async #resume(): Promise<void> {
    try {
      const response = await this.#registry.ask(this.#location!, scopeOf(this.#repository), { accept: [204, 202, 200], signal: this.#signal, once: true });
      response.body.resume();
      const end = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers["range"] ?? ""))?.[1];
      // A registry that has nothing says 0-0, as for one byte.
      this.offset = end === undefined || end === "0" ? 0 : Number(end) + 1;
      this.#follow(response);
      if (this.offset <= this.#blob.size) return;
    } catch (error) {
      if (isClass(error, "unauthorized")) throw error;
    }
    this.offset = 0;
    this.#location = undefined;
    if ((await this.#begin()) === "mounted") throw new EngineError("unavailable", "the registry mounted a blob it had refused");
  }

  /** Ends the upload, with the whole blob or, after chunks, with nothing. */
  async #put(bytes: number): Promise<void> {
    const url = this.#registry.url(this.#location!);
    url.searchParams.set("digest", this.#blob.digest);
    await this.#send("PUT", url.href, bytes, {}, [201, 204]);
  }

  async #patch(end: number): Promise<void> {
    const headers = { "content-range": `${this.offset}-${end - 1}` };
    const response = await this.#send("PATCH", this.#location!, end - this.offset, headers, [202, 204]);
    this.#follow(response);
    this.offset = end;
  }

  async #send(
    method: "PUT" | "PATCH",
    path: string,
    bytes: number,
    headers: Readonly<Record<string, string>>,
    accept: readonly number[],
  ): Promise<HttpResponse> {
    const start = this.offset;
    const response = await this.#registry.ask(path, scopeOf(this.#repository), {
      method,
      headers: { ...headers, "content-type": "application/octet-stream", "content-length": String(bytes) },
      ...(bytes === 0 ? {} : { body: () => counted(this.#blob, start, bytes) }),
      accept: [...accept, ...(this.#chunked ? [] : [413])],
      signal: this.#signal,
      once: true,
    });
    response.body.resume();
    if (response.status !== 413) return response;
    this.#chunked = true;
    throw new EngineError("unavailable", `the registry refuses a request of ${bytes} bytes`);
  }

  #follow(response: HttpResponse): void {
    const { location } = response.headers;
    if (location !== undefined) this.#location = this.#registry.url(location).href;
    if (this.#location === undefined) throw new EngineError("unavailable", "the registry gave no place for the upload");
  }
}

/** `bytes` of the blob from `start`, telling how far it is. */
async function* counted(blob: BlobUpload, start: number, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of blob.open(start)) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) yield part;
    blob.onProgress?.(start + bytes - left);
    if (left === 0) return;
  }
}
