import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Trash } from "#core/trash/trash.ts";
import { codeOf, messageOf } from "#base/errors.ts";

/** A trash directory with its reclaimer. `close` waits for what is being reclaimed. */
export interface DirectoryTrash extends Trash {
  /** Resolves when everything moved so far is gone. */
  drained(): Promise<void>;
}

/** Opens the trash at `directory` and starts reclaiming what an earlier engine left in it. */
export function openTrash(directory: string, log: (message: string) => void): DirectoryTrash {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let reclaiming = Promise.resolve();
  const reclaim = (path: string): void => {
    // One at a time: reclaiming must not take the disk from those who work.
    reclaiming = reclaiming.then(async () => {
      try {
        await rm(path, { recursive: true, force: true });
      } catch (error) {
        log(`trash: ${path} stays until the next start: ${messageOf(error)}`);
      }
    });
  };
  for (const name of readdirSync(directory)) reclaim(join(directory, name));
  return {
    move(path) {
      const target = join(directory, `${basename(path)}-${randomUUID()}`);
      try {
        renameSync(path, target);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return;
        throw error;
      }
      reclaim(target);
    },
    drained: async () => {
      await reclaiming;
    },
  };
}
