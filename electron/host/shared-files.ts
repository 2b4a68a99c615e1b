import { open, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import type { SharedFile } from "#bridge/bridge.ts";
import type { SharedFolders } from "./folders.ts";

/** Larger is nothing that is edited as text. */
const bytesMax = 1024 * 1024;

/** Reads a text in one of the shared folders. Class `notFound` when there is none, `invalidArgument` for what is no text. */
export async function readSharedFile(folders: SharedFolders, path: string): Promise<SharedFile> {
  const real = await placeOf(folders, path);
  try {
    await using file = await open(real, "r");
    const { size, mtimeMs } = await file.stat();
    if (size > bytesMax) throw new EngineError("invalidArgument", `${path} is larger than 1 MiB: it is not opened as text`);
    return { path: real, text: new TextDecoder("utf-8", { fatal: true }).decode(await file.readFile()), version: versionOf(size, mtimeMs) };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if (error instanceof TypeError) throw new EngineError("invalidArgument", `${path} is no text in UTF-8`, { cause: error });
    throw failed(path, "read", error);
  }
}

/** Writes it. Class `conflict`, and nothing is written, when the file is not the one of `version` any more; "": there must be none. */
export async function writeSharedFile(folders: SharedFolders, { path, text, version }: { path: string; text: string; version: string }): Promise<SharedFile> {
  const real = await placeOf(folders, path);
  const now = await stat(real).then(
    ({ size, mtimeMs }) => versionOf(size, mtimeMs),
    (error: unknown) => {
      if (codeOf(error) === "ENOENT") return "";
      throw failed(path, "read", error);
    },
  );
  if (now !== version) throw new EngineError("conflict", `${path} was written by another program since it was opened`);
  // In place: who else has the file open, and its owner and mode, stay as they are.
  await writeFile(real, text, { flag: version === "" ? "wx" : "w" }).catch((error: unknown) => {
    throw failed(path, "written", error);
  });
  return await readSharedFile(folders, real);
}

/** Its folder with links followed; a link to a file elsewhere is followed too, and refused there. */
async function placeOf(folders: SharedFolders, path: string): Promise<string> {
  const place = join(await folders.resolve(dirname(path)), basename(path));
  return await folders.resolve(place).catch((error: unknown) => {
    if (error instanceof EngineError && error.class === "notFound") return place;
    throw error;
  });
}

const versionOf = (size: number, mtimeMs: number): string => `${size}-${mtimeMs}`;

function failed(path: string, what: "read" | "written", error: unknown): EngineError {
  switch (codeOf(error) ?? "") {
    case "ENOENT":
      return new EngineError("notFound", `${path}: no such file`, { cause: error });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new EngineError("forbidden", `${path} may not be ${what} by the user that Slipway runs as`, { cause: error });
    default:
      return new EngineError("internal", `${path} could not be ${what}: ${messageOf(error)}`, { cause: error });
  }
}
