import { createHash } from "node:crypto";
import { closeSync, fsync, openSync, readFileSync, writeFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { codeOf } from "#base/errors.ts";

/** What a root is made of on the disk. */
export interface SnapshotPaths {
  readonly root: string;
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
  /** There when owners are mapped; what the mount stands on while it is made. */
  readonly mapped: string;
  /** The diffIDs it stands on, lowest first; written last. */
  readonly layers: string;
}

/** `id` is a valid one. */
export function snapshotPaths(snapshots: string, id: string): SnapshotPaths {
  const root = join(snapshots, id);
  return {
    root,
    upper: join(root, "upper"),
    work: join(root, "work"),
    merged: join(root, "merged"),
    layers: join(root, "layers.json"),
    mapped: join(root, "mapped"),
  };
}

/** A number for the file system's accounting: ids are random, and these keep clear of small numbers that people give. */
export const projectOf = (id: string): number => 0x1000_0000 + (Number.parseInt(createHash("sha256").update(id).digest("hex").slice(0, 7), 16) & 0x0fff_ffff);

const sync = promisify(fsync);

/** The disk is waited for off the engine's thread. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const fd = openSync(path, "wx");
  try {
    writeFileSync(fd, text);
    await sync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether the list was written to its end. */
export function isWhole(path: string): boolean {
  try {
    return Array.isArray(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return false;
  }
}

/** Allocated bytes of everything below `path`, hard links once, as du(1) counts. Files that vanish meanwhile count nothing. */
export async function diskUsage(path: string, seen: Set<string>): Promise<number> {
  let total = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    try {
      const below = join(path, entry.name);
      const found = await lstat(below);
      const key = `${found.dev}:${found.ino}`;
      if (found.nlink > 1 && !found.isDirectory()) {
        if (seen.has(key)) continue;
        seen.add(key);
      }
      total += found.blocks * 512;
      if (entry.isDirectory()) total += await diskUsage(below, seen);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
  return total;
}
