import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** Folders of one tree that are watched: each costs the kernel of Linux about a kilobyte. */
export const foldersMax = 8_192;

/** What the system says of a name: that it came or went, or that what it stands for was changed. */
export type Happening = "named" | "changed";

/**
 * Calls back with the path of whatever changes in the tree at `root`, or with the file alone when that is what it is. What is there
 * at the start is not told. `full` is called once when the tree has more folders than are watched.
 */
export class TreeWatch implements Disposable {
  readonly #root: string;
  readonly #happened: (path: string, what: Happening) => void;
  readonly #full: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #closed = false;
  #told = false;

  constructor(root: string, on: { readonly happened: (path: string, what: Happening) => void; readonly full: () => void }) {
    this.#root = root;
    this.#happened = on.happened;
    this.#full = on.full;
  }

  /** Resolves once everything there is is watched. A root that is not there is watched by nobody. */
  async open(): Promise<void> {
    const stat = await lstat(this.#root).catch(() => undefined);
    if (stat === undefined) return;
    // A file is often replaced by a rename, which only its folder sees.
    if (!stat.isDirectory()) return this.#add(dirname(this.#root), (path) => path === this.#root);
    if (process.platform !== "linux") return this.#add(this.#root, () => true, true);
    await this.#walk(this.#root);
  }

  /** A folder that came to be: it and what is in it. Each path that is found is a change. */
  async appeared(folder: string): Promise<void> {
    if (process.platform === "linux" && !this.#watchers.has(folder) && folder.startsWith(this.#root + sep))
      await this.#walk(folder, (path) => this.#happened(path, "named"));
  }

  /** False for what was no folder that is watched. */
  gone(folder: string): boolean {
    const was = this.#watchers.has(folder);
    for (const path of this.#watchers.keys()) if (path === folder || path.startsWith(folder + sep)) this.#drop(path);
    return was;
  }

  async #walk(folder: string, found?: (path: string) => void): Promise<void> {
    const waiting = [folder];
    for (let next = waiting.pop(); next !== undefined && !this.#closed; next = waiting.pop()) {
      if (this.#watchers.size >= foldersMax) return this.#tooMany();
      this.#add(next, () => true);
      for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
        const path = join(next, entry.name);
        found?.(path);
        if (entry.isDirectory()) waiting.push(path);
      }
    }
  }

  #add(folder: string, wanted: (path: string) => boolean, recursive = false): void {
    if (this.#closed || this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false, recursive }, (event, name) => {
        const path = join(folder, name ?? "");
        if (wanted(path)) this.#happened(path, event === "rename" ? "named" : "changed");
      });
      watcher.on("error", () => this.#drop(folder));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") this.#tooMany();
    }
  }

  #tooMany(): void {
    if (!this.#told) this.#full();
    this.#told = true;
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const path of [...this.#watchers.keys()]) this.#drop(path);
  }
}
