import type { BridgeStream } from "#bridge/bridge.ts";
import type { FileEntry, FileList } from "#api/files.ts";
import type { Engine, FileChange } from "./engine/engine.ts";
import { EngineFailure } from "./engine/request.ts";
import { firstFile, type TarFile, tarOf } from "./tar.ts";

/** Where files are looked at and changed: in a container, or in a volume. */
export interface FilePlace {
  /** No two places have the same. */
  readonly id: string;
  list(path: string): Promise<FileList>;
  /** A tar of one path. */
  read(path: string, signal: AbortSignal): Promise<BridgeStream>;
  /** The caller writes a tar that is unpacked in `directory`, then ends the stream. */
  write(directory: string): BridgeStream;
}

export const containerPlace = ({ containers }: Engine, id: string): FilePlace => ({
  id,
  list: (path) => containers.files(id, path),
  read: (path, signal) => containers.read(id, path, signal),
  write: (directory) => containers.write(id, directory),
});

export const volumePlace = ({ volumes }: Engine, name: string): FilePlace => ({
  id: `volume ${name}`,
  list: (path) => volumes.files(name, path),
  read: (path, signal) => volumes.read(name, path, signal),
  write: (directory) => volumes.write(name, directory),
});

/** What is shown and edited as text. */
export const textBytesMax = 1024 * 1024;

/** `/etc` and `hosts`: `/etc/hosts`. */
export const joinPath = (directory: string, name: string): string => (directory === "/" ? `/${name}` : `${directory}/${name}`);
export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

const typeLetters: Readonly<Record<FileEntry["kind"], string>> = { file: "-", directory: "d", link: "l", fifo: "p", socket: "s", device: "b" };

/** `drwxr-xr-x`, as ls writes it. */
export function modeText({ kind, mode }: Pick<FileEntry, "kind" | "mode">): string {
  const bits = [6, 3, 0].map((shift, i) => {
    const three = (mode >> shift) & 7;
    const special = ((mode >> (11 - i)) & 1) === 1;
    const letter = i === 2 ? "t" : "s";
    const last = special ? ((three & 1) === 1 ? letter : letter.toUpperCase()) : (three & 1) === 1 ? "x" : "-";
    return `${(three & 4) === 4 ? "r" : "-"}${(three & 2) === 2 ? "w" : "-"}${last}`;
  });
  return typeLetters[kind] + bits.join("");
}

/** Whether a path was changed since the container was made. A directory also when something in it was. */
export function markOf(changes: readonly FileChange[], path: string): FileChange["Kind"] | undefined {
  return changes.find((change) => change.Path === path)?.Kind;
}

export interface TextFile {
  readonly text: string;
  readonly file: TarFile;
}

/** The file's text; undefined when it is too large, no regular file, or not UTF-8. */
export async function readText(place: FilePlace, path: string, signal: AbortSignal): Promise<TextFile | undefined> {
  const stream = await place.read(path, signal);
  try {
    const file = firstFile(await upTo(stream.bytes, textBytesMax + 4096));
    if (file === undefined || file.bytes.includes(0)) return undefined;
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.bytes), file };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  } finally {
    stream.close();
  }
}

async function upTo(bytes: AsyncIterable<Uint8Array>, max: number): Promise<Uint8Array> {
  const all = new Uint8Array(max);
  let length = 0;
  for await (const chunk of bytes) {
    const part = chunk.subarray(0, max - length);
    all.set(part, length);
    length += part.length;
    if (length === max) break;
  }
  return all.subarray(0, length);
}

/** Writes a file into a directory, as `docker cp` does. Resolves when the engine has it. */
export const writeFile = (place: FilePlace, directory: string, file: TarFile, now: number): Promise<void> =>
  sendTar(place.write(directory), [tarOf(file, Math.floor(now / 1000))], `the files of ${directory}`);

/** Sends a tar and waits for the answer. `call` names it in the error of an engine that refuses. */
export async function sendTar(stream: BridgeStream, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, call: string): Promise<void> {
  const answer = readAnswer(stream, call);
  answer.catch(() => stream.close());
  const send = async (): Promise<void> => {
    for await (const chunk of chunks) await stream.write(chunk);
  };
  // An engine that refuses closes early: its own words are the error, not the broken pipe.
  await send().catch(async (error: unknown) => {
    await answer;
    throw error;
  });
  stream.end();
  await answer;
}

async function readAnswer(stream: BridgeStream, call: string): Promise<void> {
  const { status } = await stream.head;
  const text = new TextDecoder().decode(await upTo(stream.bytes, 65_536));
  if (status < 400) return;
  let words = text;
  try {
    words = (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {}
  throw new EngineFailure(status, call, words);
}

/** A file of the person's, with the owner and mode of new files in a container. */
export const uploadOf = async (file: File): Promise<TarFile> => ({
  name: file.name,
  mode: 0o644,
  uid: 0,
  gid: 0,
  bytes: new Uint8Array(await file.arrayBuffer()),
});
