import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "#base/errors.ts";
import type { CacheRecord } from "./cache.ts";

const prefix = "mount:";

/** Key of the record of a cache mount whose directory is called `name`. */
export const mountKeyOf = (name: string): string => prefix + name;

/** What the directory of a cache mount is called. */
export const mountNameOf = ({ key }: Pick<CacheRecord, "key">): string => key.slice(prefix.length);

/** What all directories of the same mount begin with: those made while another was in use have a number behind. */
export const mountBaseOf = (name: string): string => name.replace(/-\d+$/, "");

/** Bytes of the disk; none of a directory that is not there. */
export async function directoryBytes(path: string): Promise<number> {
  let total = 0;
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const below = join(path, entry.name);
      total += entry.isDirectory() ? await directoryBytes(below) : (await lstat(below)).blocks * 512;
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  return total;
}
