import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, sep } from "node:path";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import type { FolderListing } from "#bridge/bridge.ts";

/** A folder with more is shown in part. */
const entriesMax = 2_000;

/** The folders of this computer that the person has shared, and what lies in them; a window sees no others. */
export class SharedFolders {
  readonly #shared: () => readonly string[];

  constructor(shared: () => readonly string[]) {
    this.#shared = shared;
  }

  /** The real path of a folder, links followed. Class `forbidden` when that lies in no shared folder. */
  async resolve(path: string): Promise<string> {
    if (!isAbsolute(path)) throw new EngineError("invalidArgument", `${path}: a folder's path begins at the root of the disk`);
    const real = await realpath(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    for (const shared of this.#shared()) {
      const root = await realpath(shared).catch(() => undefined);
      if (root !== undefined && isBelow(real, root)) return real;
    }
    throw new EngineError("forbidden", `${path} is in none of the folders that Slipway may read: add it under Settings, Shared folders`);
  }

  /** What is in a folder; "" stands above all shared ones. */
  async list(path: string): Promise<FolderListing> {
    if (path === "") {
      const entries = this.#shared().map((name) => ({ name, path: name, kind: "folder" as const }));
      return { path, entries, total: entries.length };
    }
    const real = await this.resolve(path);
    const found = await readdir(real, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    const entries: FolderListing["entries"][number][] = [];
    for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, entriesMax)) {
      const below = real.endsWith(sep) ? `${real}${entry.name}` : `${real}${sep}${entry.name}`;
      const isLinked = entry.isSymbolicLink() && ((await stat(below).catch(() => undefined))?.isDirectory() ?? false);
      if (entry.isDirectory() || isLinked) entries.push({ name: entry.name, path: below, kind: "folder" });
      else if (entry.isFile() || entry.isSymbolicLink()) entries.push({ name: entry.name, path: below, kind: "file" });
    }
    const above = dirname(real);
    const parent = await this.resolve(above).catch(() => "");
    return { path: real, parent: above === real ? "" : parent, entries, total: found.length };
  }
}

const isBelow = (path: string, root: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);

function unreadable(path: string, error: unknown): EngineError {
  switch (codeOf(error) ?? "") {
    case "ENOENT":
      return new EngineError("notFound", `${path}: no such folder`, { cause: error });
    case "ENOTDIR":
      return new EngineError("invalidArgument", `${path} is no folder`, { cause: error });
    case "EACCES":
    case "EPERM":
      return new EngineError("forbidden", `${path} may not be read by the user that Slipway runs as`, { cause: error });
    default:
      return new EngineError("internal", `${path} could not be read: ${messageOf(error)}`, { cause: error });
  }
}
