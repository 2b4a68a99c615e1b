import { type Stats, readlinkSync } from "node:fs";
import { type IdentityMap, ownerInside } from "../userns/identity.ts";
import type { FileEntry, FileList } from "#api/files.ts";
import type { Directory } from "./at.ts";
import { type Place, archivePath, lookupError } from "./archive-path.ts";
import type { View } from "./view.ts";

/** Nobody looks at more, and each entry is one look at the file system. */
const entriesMax = 5_000;

/** What is in a directory of a container, links in its path followed inside the container. */
export function listDirectory(view: View, place: Place, map: IdentityMap | undefined): FileList {
  const looked = archivePath(place.path);
  try {
    using directory = view.directory(looked);
    const names = directory.names().toSorted();
    const entries = names.slice(0, entriesMax).flatMap((name) => entryOf(directory, name, map) ?? []);
    return { path: view.pathOf(directory), entries, total: names.length };
  } catch (error) {
    throw lookupError(error, { ...place, looked });
  }
}

/** Undefined for what went while the others were looked at. */
function entryOf(directory: Directory, name: string, map: IdentityMap | undefined): FileEntry | undefined {
  const stats = directory.lstat(name);
  if (stats === undefined) return undefined;
  const target = stats.isSymbolicLink() ? targetOf(directory, name) : undefined;
  return {
    name,
    kind: kindOf(stats),
    size: stats.size,
    mode: stats.mode & 0o7777,
    ...ownerInside(map, stats),
    mtime: stats.mtime.toISOString(),
    ...(target === undefined ? {} : { target }),
  };
}

function targetOf(directory: Directory, name: string): string | undefined {
  try {
    return readlinkSync(directory.at(name));
  } catch {
    return undefined;
  }
}

function kindOf(stats: Stats): FileEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  return stats.isFIFO() ? "fifo" : stats.isSocket() ? "socket" : "device";
}
