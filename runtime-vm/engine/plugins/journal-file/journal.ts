import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { codeOf, messageOf } from "#base/errors.ts";
import type { Journal, JournalReader } from "#core/journal/journal.ts";
import { Followers } from "./followers.ts";

/** The log file is renamed to `.1` (the older one is dropped) when it passes this. */
const journalBytesMax = 8 * 1024 * 1024;

const order = { trace: 0, debug: 0, info: 1, warn: 2, error: 3, fatal: 4, panic: 4 } as const;

/** What the file holds: read at every entry, so that it may change. */
export interface JournalSettings {
  /** The least serious that is written. */
  readonly logLevel: keyof typeof order;
  /** As logLevel debug, and everything goes to standard error as well. */
  readonly debug: boolean;
  readonly logFormat: "text" | "json";
}

/** Writes one entry after another to a file of bounded size, and the serious ones to standard error as well. */
export class FileJournal implements Journal, JournalReader, Disposable {
  readonly #path: string;
  readonly #settings: JournalSettings;
  readonly #bytesMax: number;
  readonly #followers = new Followers();
  #fd: number;
  #bytes: number;

  constructor(path: string, settings: JournalSettings, opts: { bytesMax?: number } = {}) {
    this.#path = path;
    this.#settings = settings;
    this.#bytesMax = opts.bytesMax ?? journalBytesMax;
    this.#fd = openSync(path, "a", 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  debug(message: string): void {
    this.#write("debug", message);
  }

  info(message: string): void {
    this.#write("info", message);
  }

  warn(message: string, error?: unknown): void {
    this.#write("warn", withCause(message, error));
  }

  error(message: string, error?: unknown): void {
    this.#write("error", withCause(message, error));
  }

  lines({ tail, follow, signal }: { tail?: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string> {
    // Registered before the file is read, and both in one turn: no entry is missed or told twice.
    const coming = follow ? this.#followers.add(signal) : undefined;
    const kept = [...linesOf(`${this.#path}.1`), ...linesOf(this.#path)];
    const shown = tail === undefined ? kept : kept.slice(Math.max(0, kept.length - tail));
    return (async function* () {
      yield* shown;
      if (coming !== undefined) yield* coming;
    })();
  }

  [Symbol.dispose](): void {
    this.#followers.end();
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #write(level: "debug" | "info" | "warn" | "error", message: string): void {
    const { debug, logLevel, logFormat } = this.#settings;
    if (order[level] < (debug ? order.debug : order[logLevel])) return;
    const time = new Date().toISOString();
    const line = logFormat === "json" ? `${JSON.stringify({ level, msg: message, time })}\n` : `${time} ${level.padEnd(5)} ${message}\n`;
    if (level === "error" || level === "warn" || debug) process.stderr.write(line);
    this.#followers.tell(line);
    if (this.#fd === -1) return;
    try {
      if (this.#bytes + Buffer.byteLength(line) > this.#bytesMax) this.#rotate();
      this.#bytes += writeSync(this.#fd, line);
    } catch {
      // A full disk must not take the engine down with it; standard error has the line.
    }
  }

  #rotate(): void {
    renameSync(this.#path, `${this.#path}.1`);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, "a", 0o600);
    this.#bytes = 0;
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(/(?<=\n)/);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function withCause(message: string, error: unknown): string {
  if (error === undefined) return message;
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  const cause = error instanceof Error && error.cause !== undefined ? `\ncaused by: ${withCause("", error.cause)}` : "";
  return `${message === "" ? "" : `${message}: `}${stack}${cause}`.replaceAll("\n", "\n  ");
}
