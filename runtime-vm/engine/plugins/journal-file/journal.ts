import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { messageOf } from "#base/errors.ts";
import type { Journal } from "#core/journal/journal.ts";

/** The log file is renamed to `.1` (the older one is dropped) when it passes this. */
const journalBytesMax = 8 * 1024 * 1024;

/** Writes one line an entry to a file of bounded size, and the serious ones to standard error as well. */
export class FileJournal implements Journal, Disposable {
  readonly #path: string;
  readonly #debug: boolean;
  readonly #bytesMax: number;
  #fd: number;
  #bytes: number;

  constructor(path: string, opts: { debug: boolean; bytesMax?: number }) {
    this.#path = path;
    this.#debug = opts.debug;
    this.#bytesMax = opts.bytesMax ?? journalBytesMax;
    this.#fd = openSync(path, "a", 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  debug(message: string): void {
    if (this.#debug) this.#write("debug", message);
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

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #write(level: string, message: string): void {
    const line = `${new Date().toISOString()} ${level.padEnd(5)} ${message}\n`;
    if (level === "error" || level === "warn" || this.#debug) process.stderr.write(line);
    if (this.#fd === -1) return;
    try {
      if (this.#bytes + line.length > this.#bytesMax) this.#rotate();
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

function withCause(message: string, error: unknown): string {
  if (error === undefined) return message;
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  const cause = error instanceof Error && error.cause !== undefined ? `\ncaused by: ${withCause("", error.cause)}` : "";
  return `${message === "" ? "" : `${message}: `}${stack}${cause}`.replaceAll("\n", "\n  ");
}
