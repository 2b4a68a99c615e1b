import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { codeOf } from "#base/errors.ts";

/**
 * The files of one log: `PATH`, which grows, then `PATH.1` (newest) to `PATH.N`, with `.gz` when compressed. Room for a new one is made by
 * renaming, never by truncating: a reader that has the old one open reads it to its end.
 */

/** One of them, opened for reading. */
export interface OpenedFile {
  readonly fd: number;
  readonly size: number;
  readonly compressed: boolean;
}

const nameOf = (path: string, index: number, compressed: boolean): string => `${path}${index === 0 ? "" : `.${index}`}${compressed ? ".gz" : ""}`;
const temporaryOf = (path: string): string => `${nameOf(path, 1, true)}.tmp`;

/** Every file, oldest first, as they are at this moment. The caller closes them. */
export function openFiles(path: string, maxFiles: number): OpenedFile[] {
  const opened: OpenedFile[] = [];
  try {
    for (let index = maxFiles - 1; index >= 0; index--) {
      for (const compressed of [true, false]) {
        if (index === 0 && compressed) continue;
        const file = openIfThere(nameOf(path, index, compressed));
        if (file) opened.push({ ...file, compressed });
      }
    }
  } catch (error) {
    for (const { fd } of opened) closeSync(fd);
    throw error;
  }
  return opened;
}

/** Makes room for a new `PATH`; the oldest goes when there are as many as may be. */
export function shiftFiles(path: string, maxFiles: number): void {
  for (const compressed of [true, false]) rmSync(nameOf(path, Math.max(maxFiles - 1, 0), compressed), { force: true });
  for (let index = maxFiles - 2; index >= 0; index--) {
    for (const compressed of index === 0 ? [false] : [true, false]) {
      if (existsSync(nameOf(path, index, compressed))) renameSync(nameOf(path, index, compressed), nameOf(path, index + 1, compressed));
    }
  }
}

/** gzips `PATH.1`. */
export function compressNewest(path: string): void {
  const plain = nameOf(path, 1, false);
  writeFileSync(temporaryOf(path), gzipSync(readFileSync(plain)), { mode: 0o640 });
  renameSync(temporaryOf(path), nameOf(path, 1, true));
  rmSync(plain);
}

/** An engine may have been killed while it compressed: then the plain file is whole, and the other goes. */
export function sweepFiles(path: string): void {
  rmSync(temporaryOf(path), { force: true });
  if (existsSync(nameOf(path, 1, false))) rmSync(nameOf(path, 1, true), { force: true });
}

function openIfThere(path: string): { fd: number; size: number } | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY);
    return { fd, size: fstatSync(fd).size };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
