import { open, stat } from "node:fs/promises";
import { codeOf, EngineError } from "#base/errors.ts";

/** A file as long as asked for, with no blocks behind it: a fresh data disk. The guest makes its file system. */
export async function ensureDisk(path: string, bytes: number): Promise<"made" | "grown" | "kept"> {
  const size = await sizeOf(path);
  if (size !== undefined && size >= bytes) return "kept"; // Never cut: there are file systems that cannot shrink, XFS among them.
  try {
    const file = await open(path, size === undefined ? "wx+" : "r+", 0o600);
    try {
      await file.truncate(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new EngineError("unavailable", `cannot make the data disk ${path} of ${Math.round(bytes / 2 ** 30)} GiB: ${codeOf(error) ?? String(error)}`, {
      cause: error,
    });
  }
  return size === undefined ? "made" : "grown";
}

/** Bytes the disk really takes of the host. */
export async function diskUsage(path: string): Promise<number> {
  return (await stat(path)).blocks * 512;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
