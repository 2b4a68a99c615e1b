import { watch } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { parseConfigObject } from "#api/gojson.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";

/** Where the person's daemon.json is; a file that was asked for by name must be there. */
export interface DaemonFilePlace {
  readonly path: string;
  readonly required: boolean;
}

export interface DaemonFile {
  /** What the engine in the machine gets: the file without the keys that mean nothing there. */
  readonly text: string;
  /** A sentence for each key that was left out. */
  readonly notices: readonly string[];
}

/** Editors write a file in several steps. */
const settleMs = 200;
const bytesMax = 1024 * 1024;
export const noticePrefix = "daemon.json: ";

const ownsSocket = "the engine answers inside the virtual machine; on this computer it is reached at Slipway's own socket";
const ownsDisk = "the virtual machine has a data disk of its own";
const leftOut: Readonly<Record<string, string>> = {
  "data-root": ownsDisk,
  "exec-root": ownsDisk,
  hosts: ownsSocket,
  tls: ownsSocket,
  tlsverify: ownsSocket,
  tlscacert: ownsSocket,
  tlscert: ownsSocket,
  tlskey: ownsSocket,
  group: ownsSocket,
  pidfile: "the engine is no process of this computer",
  "metrics-addr": "no address of the virtual machine can be reached from this computer",
  "cdi-spec-dirs": "the virtual machine has none of this computer's devices",
};

/**
 * Reads daemon.json for an engine in a virtual machine; the file itself is never written. A missing one is the same as an
 * empty one, unless it was asked for. Class `invalidArgument` with line and column for what is no JSON object.
 */
export async function readDaemonFile({ path, required }: DaemonFilePlace, flags: { readonly debug: boolean }): Promise<DaemonFile> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" && !required) return { text: "", notices: [] };
    throw new EngineError("invalidArgument", `the engine's configuration ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (Buffer.byteLength(source) > bytesMax) throw refused(path, `it is larger than ${bytesMax} bytes`);
  const said = new Map<string, string>();
  const kept = Object.entries(parseObject(source, path)).filter(([key]) => {
    const reason = leftOut[key] ?? (key === "debug" && flags.debug ? "--debug is given, and wins" : undefined);
    if (reason !== undefined) said.set(key, reason);
    return reason === undefined;
  });
  return {
    text: kept.length === 0 ? "" : JSON.stringify(Object.fromEntries(kept)),
    notices: [...said].map(([key, reason]) => `${noticePrefix}"${key}" has no effect: ${reason}`),
  };
}

/** Makes what `readDaemonFile` gave a file that QEMU can hand over. */
export async function writeCarried(path: string, { text }: DaemonFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

/** Calls back after each change of the file, made in place or by renaming; also when it appears or goes. */
export function watchDaemonFile({ path }: DaemonFilePlace, changed: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(path)) return;
    clearTimeout(timer);
    timer = setTimeout(changed, settleMs);
  });
  watcher.on("error", () => {});
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

function parseObject(source: string, path: string): object {
  try {
    return parseConfigObject(source);
  } catch (error) {
    throw error instanceof EngineError ? refused(path, error.message) : error;
  }
}

const refused = (path: string, reason: string): EngineError =>
  new EngineError("invalidArgument", `the engine's configuration ${path}: ${reason}. Correct it, or move it away`);
