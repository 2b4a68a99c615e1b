import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "#base/errors.ts";

/** Bytes of the files below a directory, each file once however many names it has, as dockerd counts. What vanishes meanwhile counts nothing. */
export async function sizeOf(directory: string): Promise<number> {
  const seen = new Set<string>();
  let total = 0;
  const pending = [directory];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    try {
      for await (const entry of await opendir(path)) {
        const child = join(path, entry.name);
        if (entry.isDirectory()) pending.push(child);
        const { size, ino, dev, nlink } = await lstat(child);
        const key = `${dev}:${ino}`;
        if (nlink > 1 && !entry.isDirectory() && seen.has(key)) continue;
        seen.add(key);
        total += entry.isDirectory() ? 0 : size;
      }
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
  return total;
}
