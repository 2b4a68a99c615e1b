import { linkSync } from "node:fs";
import { open } from "node:fs/promises";
import { codeOf, EngineError } from "#base/errors.ts";

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The blob and the layer's tar are the same bytes, so they are the same file; on another file system, which a root directory never spans, a copy. */
export function share(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    throw new EngineError("internal", `${source} cannot be shared with ${target}: ${codeOf(error)}; content and layers must be on one file system`, {
      cause: error,
    });
  }
}

export async function isPlain(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const gzip = bytesRead >= 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    const zstd = bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd2fb528;
    return !gzip && !zstd;
  } finally {
    await file.close();
  }
}
