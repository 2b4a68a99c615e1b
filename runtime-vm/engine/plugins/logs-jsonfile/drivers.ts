import type { LogDriver } from "#core/logs/logs.ts";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { JsonFileLog } from "./json-file-log.ts";
import { NoneLog } from "./none-log.ts";
import { parseMode, parseOptions } from "./options.ts";
import { WriterThread } from "./writer-thread.ts";

export interface LogDriverOptions {
  /** Each container's files are in a directory of its name below: `ID/ID-json.log` as Docker has it. */
  readonly directory: string;
  /** For operators: lost output, a client let go. */
  readonly report: (line: string) => void;
}

export type LogDrivers = Readonly<Record<"json-file" | "local" | "none", LogDriver>>;

/** The drivers by the name a `LogConfig.Type` has, sharing one writer thread. Dispose after every log is closed. */
export function createLogDrivers(options: LogDriverOptions): { drivers: LogDrivers } & AsyncDisposable {
  const thread = new WriterThread();
  const file = (type: string, name: string, defaults: { maxFiles: number; maxSize: string; compress: boolean }): LogDriver => ({
    async open(containerId, given) {
      const parsed = parseOptions(type, given, defaults);
      const directory = join(options.directory, containerId);
      mkdirSync(directory, { recursive: true, mode: 0o710 });
      return await JsonFileLog.open(thread, { ...parsed, path: join(directory, name.replace("ID", containerId)), report: options.report });
    },
    remove(containerId) {
      removeFiles(join(options.directory, containerId), name.replace("ID", containerId));
      return Promise.resolve();
    },
  });
  return {
    drivers: {
      "json-file": file("json-file", "ID-json.log", { maxFiles: 1, maxSize: "-1", compress: false }),
      // Docker's `local` by its limits; the file format is that of json-file, which everybody can read.
      local: file("local", "ID-local.log", { maxFiles: 5, maxSize: "20m", compress: true }),
      none: {
        open(containerId, given) {
          parseMode(given);
          return Promise.resolve(new NoneLog(containerId, options.report));
        },
        remove: () => Promise.resolve(),
      },
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
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
