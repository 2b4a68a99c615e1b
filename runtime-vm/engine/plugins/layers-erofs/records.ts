import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "#core/content/content.ts";
import type { Trash } from "#core/trash/trash.ts";

/** What stands beside a layer's tar; written last, so that a layer with a record is whole. */
export interface LayerRecord {
  readonly size: number;
  readonly form: "index" | "directory";
  readonly indexBytes: number;
  readonly entries: number;
  readonly unpackedBytes: number;
  /** Directories the layer has only because something is in them. */
  readonly implicitDirectories: readonly string[];
  readonly unpackReason?: string;
  /**
   * Boot in which the files were written, until they are known to be on the disk. In another boot nobody knows what of
   * them a power cut left, whatever their sizes say.
   */
  readonly unsyncedIn?: string;
}

/** Names of one layer's files below the layers directory. */
export const layerFiles = (layers: string, diffId: Digest) => {
  const hex = diffId.slice("sha256:".length);
  return {
    tar: join(layers, `${hex}.tar`),
    index: join(layers, `${hex}.erofs`),
    directory: join(layers, `${hex}.d`),
    record: join(layers, `${hex}.json`),
  } as const;
};

/**
 * Reads the records of all whole layers. A layer whose files do not have the recorded sizes (a disk that lost writes)
 * and files without a record (an engine that was killed) go into the trash; the blob they came from is unpacked again.
 */
export function readRecords(layers: string, boot: string, trash: Trash): Map<Digest, LayerRecord> {
  const records = new Map<Digest, LayerRecord>();
  const names = readdirSync(layers);
  for (const name of names) {
    const hex = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
    if (hex === undefined) continue;
    const record = parse(readFileSync(join(layers, name), "utf8"));
    if (record !== undefined && (record.unsyncedIn ?? boot) === boot && isWhole(layerFiles(layers, `sha256:${hex}`), record))
      records.set(`sha256:${hex}`, record);
  }
  for (const name of names) {
    if (!name.startsWith("probe.") && !records.has(`sha256:${name.slice(0, 64)}`)) trash.move(join(layers, name));
  }
  return records;
}

/** Undefined for a record that a power cut left torn. */
function parse(text: string): LayerRecord | undefined {
  try {
    return JSON.parse(text) as LayerRecord;
  } catch {
    return undefined;
  }
}

export function isWhole(files: ReturnType<typeof layerFiles>, record: LayerRecord): boolean {
  const bytes = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? -1;
  if (bytes(files.tar) !== record.size) return false;
  return record.form === "index" ? bytes(files.index) === record.indexBytes : bytes(files.directory) >= 0;
}

/** Writes a record that a power cut may take. */
export function writeRecord(path: string, record: LayerRecord): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o644 });
  renameSync(temporary, path);
}

/** Writes a record so that it and every rename in its directory survive a power cut, unless by then it is not `wanted` any more. */
export async function settleRecord(path: string, layers: string, record: LayerRecord, wanted: () => unknown): Promise<void> {
  const temporary = `${path}.settled`;
  try {
    await writeFile(temporary, JSON.stringify(record), { mode: 0o644, flush: true });
    if (!wanted()) return;
    renameSync(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  const directory = await open(layers, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Names this boot of the kernel. */
export const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
