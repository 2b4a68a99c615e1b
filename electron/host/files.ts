import { mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";

/** The file's JSON object; undefined when there is no file. Class `conflict`, naming the file, when it holds something else. */
export async function readJsonObject(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new EngineError("conflict", `${path} is not valid JSON (${messageOf(error)}): repair it first, Slipway does not overwrite it`, { cause: error });
  }
  throw new EngineError("conflict", `${path} holds no JSON object: repair it first, Slipway does not overwrite it`);
}

/** Replaces `path` so that a crash leaves either the old file or the new one. A symbolic link stays one: its target is replaced. */
export async function writeAtomically(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await realpath(path).catch(() => path);
  const half = `${target}.${process.pid}.tmp`;
  try {
    const file = await open(half, "w", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(half, target);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
}
