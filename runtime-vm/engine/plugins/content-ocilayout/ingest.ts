import { createHash, randomUUID, type Hash } from "node:crypto";
import { constants, readdirSync, renameSync, rmSync, type Stats, statSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, Ingest, Lend } from "#core/content/content.ts";
import { free } from "#base/buffers.ts";
import { EngineError } from "#base/errors.ts";
import { syncDirectory } from "./durable.ts";
import { LaneFile, type LaneFileOptions, type Lanes } from "./lane-file.ts";

const hashedAtOnceBytes = 4 * 1024 * 1024;
/** Written bytes are sent to the disk in steps while more arrive, so that little is left to wait for at commit. */
const syncBytes = 32 * 1024 * 1024;
const resumableDaysMax = 7;

export interface IngestOptions {
  readonly lanes: Lanes;
  readonly ref?: string | undefined;
  readonly lend?: Lend | undefined;
  readonly onClose?: () => void;
}

/** A blob being written below `directory`; with a `ref`, what an earlier one left is continued. */
export async function openIngest(directory: string, blobs: string, options: IngestOptions): Promise<Ingest> {
  const resumable = options.ref !== undefined;
  const name = resumable ? resumableName(options.ref!) : `once-${randomUUID()}`;
  const path = join(directory, name);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | (resumable ? 0 : constants.O_EXCL), 0o644);
  try {
    const offset = resumable ? (await file.stat()).size : 0;
    const hash = resumable ? undefined : createHash("sha256");
    const { lanes, lend, onClose = () => {} } = options;
    return new FileIngest({ path, blobs, file, hash, onClose, lanes: { lanes, lend, offset, direct: resumable } });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The file that a resumable one grows in. */
export const resumableName = (ref: string): string => `ref-${createHash("sha256").update(ref).digest("hex")}`;

/** At start: removes what no download will continue, nameless parts and resumable ones untouched for a week. */
export function sweepAtStart(directory: string): void {
  const oldest = Date.now() - resumableDaysMax * 24 * 3600 * 1000;
  sweep(directory, (name, { mtimeMs }) => !name.startsWith("ref-") || mtimeMs <= oldest);
}

/** Removes resumable parts but those in `open`; returns their bytes. */
export const sweepResumable = (directory: string, open: ReadonlySet<string>): number => sweep(directory, (name) => name.startsWith("ref-") && !open.has(name));

/** In one go: nobody opens one meanwhile. */
function sweep(directory: string, goes: (name: string, stat: Stats) => boolean): number {
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || !goes(name, found)) continue;
    bytes += found.size;
    rmSync(path, { force: true });
  }
  return bytes;
}

interface Parts {
  readonly path: string;
  readonly blobs: string;
  readonly file: FileHandle;
  /** Absent for a resumable one. */
  readonly hash: Hash | undefined;
  readonly lanes: Omit<LaneFileOptions, "onWritten">;
  readonly onClose: () => void;
}

class FileIngest implements Ingest {
  readonly #parts: Parts;
  readonly #lanes: LaneFile;
  #path: string;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;
  #syncFailure: unknown;
  #state: "open" | "committed" | "closed" = "open";

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#path = parts.path;
    this.#lanes = new LaneFile(parts.path, parts.file, { ...parts.lanes, onWritten: (bytes) => this.#wrote(bytes) });
  }

  get offset(): number {
    return this.#lanes.offset;
  }

  get path(): string {
    return this.#path;
  }

  get readable(): number {
    return this.#lanes.readable;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#state !== "open") throw new EngineError("internal", "content: write after commit or close");
    this.#parts.hash?.update(chunk);
    const appending = this.#lanes.append(chunk);
    if (this.#parts.hash !== undefined) return appending;
    if (appending !== undefined) return appending.then(() => free(chunk));
    free(chunk);
    return undefined;
  }

  async commit(expected?: { digest: Digest; size?: number }, hashed?: Promise<Digest | undefined>): Promise<{ digest: Digest; size: number }> {
    if (this.#state !== "open") throw new EngineError("internal", "content: a second commit");
    await this.flush();
    const durable = this.#durable();
    durable.catch(() => {});
    const digest = await this.#digest(hashed);
    const mismatch = mismatchOf({ digest, size: this.offset }, expected);
    if (mismatch !== undefined) {
      // Wrong bytes must not be continued by the next download.
      await this.#close();
      await rm(this.#parts.path, { force: true });
      throw new EngineError("invalidArgument", mismatch);
    }
    await durable;
    // At once: whoever asks for the path gets one where the file is.
    const committed = join(this.#parts.blobs, digest.slice("sha256:".length));
    renameSync(this.#path, committed);
    this.#path = committed;
    await syncDirectory(this.#parts.blobs);
    this.#state = "committed";
    await this.#close();
    return { digest, size: this.offset };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "open") return;
    const resumable = this.#parts.hash === undefined;
    // A write that failed has been told; the file ends before it, and is continued from there.
    if (resumable) await this.flush().catch(() => {});
    await this.#close();
    if (!resumable) await rm(this.#parts.path, { force: true });
  }

  async flush(): Promise<void> {
    await this.#lanes.flush();
  }

  async #durable(): Promise<void> {
    await this.#syncing;
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    await this.#parts.file.datasync();
  }

  async #digest(hashed: Promise<Digest | undefined> | undefined): Promise<Digest> {
    if (this.#parts.hash !== undefined) return `sha256:${this.#parts.hash.digest("hex")}`;
    return (await hashed) ?? (await digestOf(this.#parts.file));
  }

  #wrote(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced < syncBytes || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#parts.file
      .datasync()
      // The kernel tells of a failed write once; the commit must know.
      .catch((error: unknown) => void (this.#syncFailure = error))
      .finally(() => (this.#syncing = undefined));
  }

  async #close(): Promise<void> {
    await this.#syncing;
    if (this.#state === "open") this.#state = "closed";
    await this.#lanes.close();
    this.#parts.onClose();
    await this.#parts.file.close();
  }
}

async function digestOf(file: FileHandle): Promise<Digest> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(hashedAtOnceBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return `sha256:${hash.digest("hex")}`;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function mismatchOf(got: { digest: Digest; size: number }, expected?: { digest: Digest; size?: number }): string | undefined {
  if (expected === undefined) return undefined;
  if (expected.size !== undefined && expected.size !== got.size) {
    return `content ${expected.digest}: expected ${expected.size} bytes, got ${got.size}; the source sent something else`;
  }
  if (expected.digest !== got.digest) return `content ${expected.digest}: the bytes have digest ${got.digest}; the source sent something else`;
  return undefined;
}
