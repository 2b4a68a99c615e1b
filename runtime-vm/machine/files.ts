import { posix, win32 } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { Share } from "#link/boot.ts";

/**
 * Where a path of the host lies below the guest's host prefix: itself on Linux and macOS, `/mnt/c/...` for `C:\...`.
 * Undefined for a path with no place there (a UNC share, a relative path).
 */
export function guestPath(hostPath: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== "win32") return posix.isAbsolute(hostPath) ? posix.normalize(hostPath) : undefined;
  const match = /^([A-Za-z]):[\\/](.*)$/.exec(win32.normalize(hostPath));
  if (!match) return undefined;
  const [, drive = "", rest = ""] = match;
  return posix.join("/mnt", drive.toLowerCase(), rest.replaceAll("\\", "/"));
}

/** The way back; undefined for a path that is none of the host's. */
export function hostPath(path: string, platform: NodeJS.Platform): string | undefined {
  if (!posix.isAbsolute(path)) return undefined;
  const clean = posix.normalize(path);
  if (platform !== "win32") return clean;
  const match = /^\/mnt\/([a-z])(?:\/(.*))?$/.exec(clean);
  return match ? win32.join(`${match[1]?.toUpperCase()}:\\`, match[2] ?? "") : undefined;
}

/** A folder of the host that the guest shall see. */
export interface SharedFolder extends Share {
  readonly hostPath: string;
}

/** One share a folder; folders inside another are dropped, since the outer one shows them. */
export function planShares(folders: readonly string[], platform: NodeJS.Platform, type: Share["type"]): readonly SharedFolder[] {
  const mapped = folders.map((folder) => {
    const path = guestPath(folder, platform);
    if (path === undefined || path === "/") throw new EngineError("invalidArgument", `${folder} cannot be shared: name an absolute folder below the root`);
    return { hostPath: folder, path: path.replace(/\/$/, "") };
  });
  const outer = mapped.filter((a, i) => !mapped.some((b, j) => i !== j && (a.path.startsWith(`${b.path}/`) || (a.path === b.path && j < i))));
  return outer.map((folder, i) => ({ ...folder, tag: `share${i}`, type }));
}
