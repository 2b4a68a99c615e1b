import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Header as FullHeader, pack, type Pack } from "tar-stream";
import { IgnorePatterns, readIgnoreFile } from "#api/dockerignore.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";

/** What a writer is told of an entry. */
type Header = Partial<FullHeader> & Pick<FullHeader, "name">;

export interface BuildContext {
  /** A folder of this computer. */
  readonly folder: string;
  /** Path of the Dockerfile in it; sent whatever .dockerignore says. */
  readonly dockerfile: string;
}

/** A folder as a tar, without what its .dockerignore leaves out, read as fast as it is taken. Owners do not count: all is root's. */
export async function* packContext({ folder, dockerfile }: BuildContext, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const ignored = new IgnorePatterns(readIgnoreFile(await ignoreText(folder, dockerfile)));
  const kept = new Set([posix.normalize(dockerfile), ".dockerignore"]);
  if (!(await isFile(join(folder, dockerfile))))
    throw new EngineError("notFound", `there is no ${dockerfile} in ${folder}: name the Dockerfile by its path in the folder`);
  const tar = pack();
  const filling = fill(tar, { folder, ignored, kept, signal }, "").then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(messageOf(error))),
  );
  try {
    yield* tar as AsyncIterable<Uint8Array>;
  } finally {
    tar.destroy();
    await filling;
  }
}

interface Walk {
  readonly folder: string;
  readonly ignored: IgnorePatterns;
  readonly kept: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

async function fill(tar: Pack, walk: Walk, below: string): Promise<void> {
  const names = await reading(join(walk.folder, below), (path) => readdir(path));
  for (const name of names.toSorted()) {
    walk.signal.throwIfAborted();
    const path = below === "" ? name : `${below}/${name}`;
    const away = walk.ignored.ignores(path) && !walk.kept.has(path);
    const onTheWay = [...walk.kept].some((one) => one.startsWith(`${path}/`));
    const stats = await reading(join(walk.folder, path), (full) => lstat(full));
    if (stats.isDirectory()) {
      if (!away) await entry(tar, { name: `${path}/`, type: "directory", ...metaOf(stats) });
      if (!away || walk.ignored.hasExceptions || onTheWay) await fill(tar, walk, path);
    } else if (away) continue;
    else if (stats.isSymbolicLink()) {
      const linkname = await reading(join(walk.folder, path), (full) => readlink(full));
      await entry(tar, { name: path, type: "symlink", linkname, ...metaOf(stats) });
    } else if (stats.isFile()) await file(tar, join(walk.folder, path), { name: path, type: "file", size: stats.size, ...metaOf(stats) });
    // Sockets, pipes and devices are nothing to copy.
  }
}

/** Windows knows no right to execute. */
const metaOf = ({ mode, mtime }: { mode: number; mtime: Date }): Partial<Header> => ({
  mode: process.platform === "win32" ? 0o755 : mode & 0o7777,
  mtime,
  uid: 0,
  gid: 0,
});

const entry = (tar: Pack, headers: Header): Promise<void> =>
  new Promise((resolve, reject) => tar.entry(headers, (error) => (error ? reject(error) : resolve())));

async function file(tar: Pack, path: string, headers: Header & { readonly size: number }): Promise<void> {
  if (headers.size === 0) return await entry(tar, headers);
  await reading(path, () => pipeline(createReadStream(path, { end: headers.size - 1 }), tar.entry(headers)));
}

/** A Dockerfile's own `.dockerignore` counts before the folder's. */
async function ignoreText(folder: string, dockerfile: string): Promise<string> {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const path = join(folder, name);
    if (await isFile(path)) return await reading(path, () => readFile(path, "utf8"));
  }
  return "";
}

const isFile = async (path: string): Promise<boolean> => (await lstat(path).catch(() => undefined))?.isFile() ?? false;

async function reading<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (error) {
    const denied = codeOf(error) === "EACCES" || codeOf(error) === "EPERM";
    const advice = denied ? ": name it in .dockerignore, or let it be read" : "";
    throw new EngineError(denied ? "forbidden" : "internal", `the build's folder could not be read: ${messageOf(error)}${advice}`, { cause: error });
  }
}
