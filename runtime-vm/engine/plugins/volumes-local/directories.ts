import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Trash } from "#core/trash/trash.ts";
import { type Fill, HALF } from "#core/volumes/volumes.ts";

export interface DirectoryOptions {
  readonly directory: string;
  readonly trash: Trash;
  /** Whom new volumes belong to; absent: root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Volumes' directories, `NAME/_data`: made, filled and removed so that the next engine knows how far the one that was killed had come. */
export class VolumeDirectories {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o701 });
  }

  names(): string[] {
    return readdirSync(this.#options.directory);
  }

  dataOf(name: string): string {
    return join(this.#pathOf(name), "_data");
  }

  make(name: string): void {
    makeOne(this.#pathOf(name), 0o701);
    this.#makeData(this.dataOf(name));
  }

  /** What `fill` writes, beside the place of the volume's data until `finish` brings it there. That is empty or missing. */
  async filled(name: string, fill: Fill): Promise<{ finish(): void }> {
    makeOne(this.#pathOf(name), 0o701);
    const half = this.#halfOf(name);
    await rm(half, { recursive: true, force: true });
    this.#makeData(half);
    try {
      await fill(half);
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      throw error;
    }
    return { finish: () => renameSync(half, this.dataOf(name)) };
  }

  /** Before the volume's record goes: who then finds the directory without one knows that it was not the record that got lost. */
  goes(name: string): void {
    writeFileSync(this.#mark(name), "");
  }

  drop(name: string): void {
    this.#options.trash.move(this.#pathOf(name));
  }

  /** Ends or takes back what an engine was at that was killed, with a volume that is recorded. */
  finish(name: string): void {
    const half = this.#halfOf(name);
    // Recorded once it was whole.
    if (existsSync(half) && !existsSync(this.dataOf(name))) renameSync(half, this.dataOf(name));
    rmSync(this.#mark(name), { force: true });
    for (const place of [this.#pathOf(name), this.#snapshotsOf(name)]) {
      if (!existsSync(place)) continue;
      for (const one of readdirSync(place)) if (one.startsWith(HALF)) this.#options.trash.move(join(place, one));
    }
    this.make(name);
  }

  /** When the data was made of a volume that is not recorded. Undefined: it was just being made or removed, or there is nothing in it. */
  orphanedSince(name: string): Date | undefined {
    const found = statSync(this.dataOf(name), { throwIfNoEntry: false });
    if (found?.isDirectory() !== true || existsSync(this.#mark(name))) return undefined;
    return readdirSync(this.dataOf(name)).length > 0 || existsSync(this.#snapshotsOf(name)) ? found.birthtime : undefined;
  }

  #makeData(path: string): void {
    const made = makeOne(path, 0o755);
    const { owner } = this.#options;
    if (made && owner !== undefined) chownSync(path, owner.uid, owner.gid);
  }

  #pathOf(name: string): string {
    return join(this.#options.directory, name);
  }

  #halfOf(name: string): string {
    return join(this.#pathOf(name), `${HALF}data`);
  }

  #mark(name: string): string {
    return join(this.#pathOf(name), `${HALF}removed`);
  }

  #snapshotsOf(name: string): string {
    return join(this.#pathOf(name), "snapshots");
  }
}

/** False: it was there. Made recursively, Node says of a disk that can only be read that the directory does not exist. */
function makeOne(path: string, mode: number): boolean {
  if (existsSync(path)) return false;
  mkdirSync(path, { mode });
  return true;
}
