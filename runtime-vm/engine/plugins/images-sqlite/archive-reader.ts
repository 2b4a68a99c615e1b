import { PassThrough, type Readable } from "node:stream";
import { posix } from "node:path";
import type { ContentStore, Digest, Ingest } from "#core/content/content.ts";
import { free } from "#base/buffers.ts";
import { TarScanner, type TarEntry } from "#core/layers/tar-scanner.ts";
import { inflate } from "./compression.ts";

/** The files of an image archive, every one of them now a blob. */
export interface Archive {
  readonly files: ReadonlyMap<string, { readonly digest: Digest; readonly size: number }>;
  /** Small JSON files by name. */
  readonly texts: ReadonlyMap<string, Buffer>;
}

const textBytesMax = 8 * 1024 * 1024;
const isText = (name: string): boolean => name === "manifest.json" || name === "index.json" || name === "oci-layout";

type Step = { readonly kind: "entry"; readonly entry: TarEntry } | { readonly kind: "data"; readonly bytes: Buffer };

/**
 * Reads an image archive, plain or compressed, into the content store. Files named by their digest are
 * verified. `onBlob` hears of each, also where the archive turns out to be none. Rejects (invalidArgument) what is no tar or stops in the middle.
 */
export async function readArchive(
  tar: Readable,
  content: ContentStore,
  { signal, onBlob }: { signal: AbortSignal; onBlob: (blob: { digest: Digest; size: number }) => void },
): Promise<Archive> {
  const reader = new ArchiveReader(content, onBlob);
  await using _open = reader;
  const plain = new PassThrough({ highWaterMark: 1024 * 1024 });
  let failure: unknown;
  const stop = (error: unknown): void => {
    failure ??= error;
    plain.destroy(error instanceof Error ? error : undefined);
  };
  // Both are waited for, so that nothing writes any more when the reader is closed; the first failure is the cause of the other.
  await Promise.all([inflate(tar, plain, signal).catch(stop), reader.read(plain).catch(stop)]);
  if (failure !== undefined) throw failure;
  return reader.archive();
}

class ArchiveReader implements AsyncDisposable {
  readonly #content: ContentStore;
  readonly #onBlob: (blob: { digest: Digest; size: number }) => void;
  readonly #files = new Map<string, { digest: Digest; size: number }>();
  readonly #links = new Map<string, string>();
  readonly #texts = new Map<string, Buffer>();
  #current: { name: string; left: number; ingest?: Ingest; text?: Buffer[] } | undefined;

  constructor(content: ContentStore, onBlob: (blob: { digest: Digest; size: number }) => void) {
    this.#content = content;
    this.#onBlob = onBlob;
  }

  /** Takes the chunks over: their memory is freed. */
  async read(plain: AsyncIterable<Buffer>): Promise<void> {
    const steps: Step[] = [];
    const scanner = new TarScanner({ entry: (entry) => steps.push({ kind: "entry", entry }), data: (bytes) => steps.push({ kind: "data", bytes }) });
    for await (const chunk of plain) {
      scanner.push(chunk);
      const found = steps.splice(0);
      for (const step of found) await (step.kind === "entry" ? this.#begin(step.entry) : this.#take(step.bytes));
      // Of others the scanner may still hold the beginning of a header.
      const [only] = found;
      if (found.length === 1 && only?.kind === "data" && only.bytes.length === chunk.length) free(chunk);
    }
    scanner.end();
  }

  archive(): Archive {
    const files = new Map(this.#files);
    for (const [name, target] of this.#links) {
      const file = this.#files.get(target);
      if (file !== undefined) files.set(name, file);
    }
    return { files, texts: this.#texts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.ingest?.[Symbol.asyncDispose]();
  }

  async #begin(entry: TarEntry): Promise<void> {
    const name = posix.normalize(Buffer.from(entry.path, "latin1").toString("utf8")).replace(/^(\.?\/)+/, "");
    if (entry.type === "2" || entry.type === "1") {
      const target = Buffer.from(entry.linkPath, "latin1").toString("utf8");
      this.#links.set(name, entry.type === "1" ? posix.normalize(target) : posix.join(posix.dirname(name), target));
      return;
    }
    if (!["0", "\0", "7"].includes(entry.type) || name.endsWith("/")) return;
    if (isText(name) && entry.size <= textBytesMax) this.#current = { name, left: entry.size, text: [] };
    else this.#current = { name, left: entry.size, ingest: await this.#content.ingest() };
    if (entry.size === 0) await this.#finish();
  }

  async #take(bytes: Buffer): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    current.left -= bytes.length;
    if (current.text !== undefined) current.text.push(Buffer.from(bytes));
    else await current.ingest!.write(bytes);
    if (current.left === 0) await this.#finish();
  }

  async #finish(): Promise<void> {
    const { name, ingest, text } = this.#current!;
    if (text !== undefined) this.#texts.set(name, Buffer.concat(text));
    else {
      const promised = /^blobs\/(sha256)\/([0-9a-f]{64})$/.exec(name);
      const blob = await ingest!.commit(promised === null ? undefined : { digest: `sha256:${promised[2]!}` });
      this.#files.set(name, blob);
      this.#onBlob(blob);
    }
    this.#current = undefined;
  }
}
