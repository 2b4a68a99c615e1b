import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { join } from "node:path";
import type { ContentStore, Descriptor, Digest, Ingest, Lend, NamedDescriptor } from "#core/content/content.ts";
import type { Trash } from "#core/trash/trash.ts";
import { codeOf, EngineError } from "#base/errors.ts";
import { replaceFile } from "./durable.ts";
import { fileChunks } from "./file-chunks.ts";
import { type Copy, Lanes } from "./lane-file.ts";
import { openIngest, resumableName, sweepAtStart, sweepResumable } from "./ingest.ts";

const hexPattern = /^[0-9a-f]{64}$/;
const publishAgainMs = 5_000;
/** Where skopeo and umoci look for a name. */
const nameAnnotation = "org.opencontainers.image.ref.name";

/** Where the store keeps its files; all three on one file system. */
export interface LayoutPaths {
  readonly content: string;
  readonly ingest: string;
  readonly trash: Trash;
}

const plainCopy: Copy = (to, at, from) => void from.copy(to, at);

/**
 * Opens (or makes) the image layout at `paths.content`. Half-written blobs without a ref are swept, those of resumable
 * downloads are kept for a week.
 */
export async function openContent(paths: LayoutPaths, copy = plainCopy): Promise<ContentStore> {
  for (const directory of [join(paths.content, "blobs", "sha256"), paths.ingest]) mkdirSync(directory, { recursive: true });
  ensureFile(join(paths.content, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  ensureFile(join(paths.content, "index.json"), indexOf([]));
  sweepAtStart(paths.ingest);
  return new OciLayout(paths, new Lanes(copy));
}

class OciLayout implements ContentStore {
  readonly #paths: LayoutPaths;
  readonly #blobs: string;
  readonly #openRefs = new Set<string>();
  readonly #lanes: Lanes;
  #publishing: NodeJS.Timeout | undefined;

  constructor(paths: LayoutPaths, lanes: Lanes) {
    this.#paths = paths;
    this.#lanes = lanes;
    this.#blobs = join(paths.content, "blobs", "sha256");
  }

  open(digest: Digest, range?: { start: number }): Readable {
    return createReadStream(this.path(digest), { start: range?.start ?? 0, highWaterMark: 1024 * 1024 });
  }

  chunks(digest: Digest, range?: { start: number }): AsyncIterable<Buffer> {
    return fileChunks(this.path(digest), range?.start ?? 0);
  }

  async read(digest: Digest): Promise<Buffer> {
    return await readFile(this.path(digest));
  }

  stat(digest: Digest): { readonly size: number } | undefined {
    const found = statSync(this.#file(digest), { throwIfNoEntry: false });
    return found === undefined ? undefined : { size: found.size };
  }

  path(digest: Digest): string {
    const file = this.#file(digest);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) throw new EngineError("notFound", `content ${digest}: not found`);
    return file;
  }

  async ingest(ref?: string, lend?: Lend): Promise<Ingest> {
    const lanes = this.#lanes;
    if (ref === undefined) return await openIngest(this.#paths.ingest, this.#blobs, { lanes, lend });
    if (this.#openRefs.has(ref)) throw new EngineError("conflict", `content ref ${ref}: is being written by another download`);
    this.#openRefs.add(ref);
    const free = (): void => void this.#openRefs.delete(ref);
    try {
      return await openIngest(this.#paths.ingest, this.#blobs, { lanes, lend, ref, onClose: free });
    } catch (error) {
      free();
      throw error;
    }
  }

  *list(): Iterable<{ digest: Digest; size: number }> {
    for (const hex of readdirSync(this.#blobs)) {
      const found = hexPattern.test(hex) ? statSync(join(this.#blobs, hex), { throwIfNoEntry: false }) : undefined;
      if (found !== undefined) yield { digest: `sha256:${hex}`, size: found.size };
    }
  }

  remove(digest: Digest): void {
    this.#paths.trash.move(this.#file(digest));
  }

  sweep(): number {
    return sweepResumable(this.#paths.ingest, new Set([...this.#openRefs].map(resumableName)));
  }

  /**
   * The list follows what the engine knows, and a start writes it anew: nobody waits for the disk. Without room there the former one
   * stays for a while: deleting must work.
   */
  publish(images: readonly NamedDescriptor[]): void {
    clearTimeout(this.#publishing);
    const [path, text] = [join(this.#paths.content, "index.json"), indexOf(images)];
    try {
      if (existsSync(path) && readFileSync(path, "utf8") === text) return;
      writeFileSync(`${path}.tmp`, text);
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      if (codeOf(error) !== "ENOSPC") throw error;
      this.#publishing = setTimeout(() => this.publish(images), publishAgainMs).unref();
    }
  }

  published(): NamedDescriptor[] {
    const { manifests } = JSON.parse(readFileSync(join(this.#paths.content, "index.json"), "utf8")) as { manifests: Descriptor[] };
    return manifests.map((listed) => {
      const { [nameAnnotation]: name, ...annotations } = listed.annotations ?? {};
      return { ...(name === undefined ? {} : { name }), descriptor: { ...listed, annotations } };
    });
  }

  #file(digest: Digest): string {
    const hex = digest.slice("sha256:".length);
    if (!digest.startsWith("sha256:") || !hexPattern.test(hex)) throw new EngineError("invalidArgument", `content ${digest}: not a sha256 digest`);
    return join(this.#blobs, hex);
  }
}

function indexOf(images: readonly NamedDescriptor[]): string {
  const manifests = images.map(({ name, descriptor }) => {
    if (name === undefined) return descriptor;
    return { ...descriptor, annotations: { ...descriptor.annotations, [nameAnnotation]: name } };
  });
  return JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests });
}

function ensureFile(path: string, text: string): void {
  try {
    if (statSync(path).size > 0) return;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  replaceFile(path, text);
}
