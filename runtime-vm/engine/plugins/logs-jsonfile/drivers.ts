import type { ContainerLog, LogCache, LogDriver, LogTap } from "#core/logs/logs.ts";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { JsonFileLog } from "./json-file-log.ts";
import { NoneLog } from "./none-log.ts";
import { cacheOptions, type FileOptions, jsonFileOptions, localOptions } from "./options.ts";
import { WriterThread } from "./writer-thread.ts";

export interface LogDriverOptions {
  /** Each container's files are in a directory of its name below: `ID/ID-json.log` as Docker has it. */
  readonly directory: string;
  /** For operators: lost output, a client let go. */
  readonly report: (line: string) => void;
}

export type LogDrivers = Readonly<Record<"json-file" | "local" | "none", LogDriver>>;

const jsonSuffix = "-json.log";
const localSuffix = "-local.log";
const cacheSuffix = "-cache.log";

/** The drivers by the name a `LogConfig.Type` has, sharing one writer thread, and the copies of others. Dispose after every log is closed. */
export function createLogDrivers({ directory, report }: LogDriverOptions): { drivers: LogDrivers; cache: LogCache } & AsyncDisposable {
  const thread = new WriterThread();
  const open = async (id: string, suffix: string, { attributes, ...options }: FileOptions, tap?: LogTap): Promise<ContainerLog> => {
    const own = join(directory, id);
    mkdirSync(own, { recursive: true, mode: 0o710 });
    const shown = Object.keys(attributes).length === 0 ? "" : goJson(attributes);
    return await JsonFileLog.open(thread, {
      ...options,
      attributes: shown,
      path: join(own, `${id}${suffix}`),
      isPublic: suffix === jsonSuffix,
      report,
      ...(tap === undefined ? {} : { tap }),
    });
  };
  const remove = (id: string, suffix: string): Promise<void> => {
    removeFiles(join(directory, id), `${id}${suffix}`);
    return Promise.resolve();
  };
  return {
    drivers: {
      "json-file": { open: (subject, given) => open(subject.id, jsonSuffix, jsonFileOptions(subject, given)), remove: (id) => remove(id, jsonSuffix) },
      local: { open: (subject, given) => open(subject.id, localSuffix, localOptions(given)), remove: (id) => remove(id, localSuffix) },
      // Whatever options it is given, dockerd asks nothing of them.
      none: { open: ({ id }) => Promise.resolve(new NoneLog(id, report)), remove: () => Promise.resolve() },
    },
    cache: {
      open: ({ id }, given, { kept, tap }) => (kept ? open(id, cacheSuffix, cacheOptions(given), tap) : Promise.resolve(new NoneLog(id, report, tap))),
      remove: (id) => remove(id, cacheSuffix),
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

/** As Go writes JSON: sorted, and fit to stand in a page. */
function goJson(attributes: Readonly<Record<string, string>>): string {
  const sorted = Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted).replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The log with its rotated and compressed files. */
function removeFiles(directory: string, name: string): void {
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return;
  }
  for (const entry of entries) if (entry === name || entry.startsWith(`${name}.`)) rmSync(join(directory, entry), { force: true });
}
