import type { Readable } from "node:stream";
import type { TaskProcess } from "../tasks/tasks.ts";
import { drained } from "./drained.ts";

/** How feeding a process's input came to an end. */
export type InputEnd = "ended" | "detached" | "closed";

/**
 * The way in for attached clients: they may come before the process is there, and more than one may type at once.
 * Opened at every start, closed at every end.
 */
export class InputGate {
  #process: TaskProcess | undefined;
  readonly #waiting = new Set<(process: TaskProcess) => void>();

  open(process: TaskProcess): void {
    this.#process = process;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve(process);
  }

  close(): void {
    this.#process = undefined;
  }

  /** The process that takes input now, or the next one to be started. */
  async process(signal: AbortSignal): Promise<TaskProcess> {
    signal.throwIfAborted();
    if (this.#process !== undefined) return this.#process;
    return await new Promise((resolve, reject) => {
      const opened = (process: TaskProcess): void => {
        signal.removeEventListener("abort", cancel);
        resolve(process);
      };
      const cancel = (): void => {
        this.#waiting.delete(opened);
        reject(signal.reason as Error);
      };
      this.#waiting.add(opened);
      signal.addEventListener("abort", cancel, { once: true });
    });
  }
}

/**
 * Feeds `source` into the process until it ends, its reader is gone, or the detach keys are typed. `closeAtEnd` half-closes the
 * process's input when the client half-closes. Never ends `source` itself: the other direction may still be in use.
 */
export async function feedInput(
  source: Readable,
  process: TaskProcess,
  opts: { detachKeys?: DetachKeys; closeAtEnd: boolean; signal: AbortSignal },
): Promise<InputEnd> {
  const input = process.stdio.stdin;
  if (input === undefined) return "closed";
  let end: InputEnd = "ended";
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const bytes = opts.detachKeys === undefined ? chunk : opts.detachKeys.filter(chunk);
      if (bytes.length > 0 && !input.write(bytes)) await drained(input);
      if (opts.detachKeys?.found === true) return "detached";
      if (input.destroyed || opts.signal.aborted) {
        end = "closed";
        break;
      }
    }
  } catch {
    // A client that broke off is a client that has no more to say.
  }
  if (end === "ended" && opts.closeAtEnd) await process.closeStdin();
  return end;
}

/** Finds the detach sequence in what is typed; keys that turn out not to be one are passed on. */
export class DetachKeys {
  readonly #keys: Buffer;
  #matched = 0;
  found = false;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What of `chunk` (and of keys held back before) is input. */
  filter(chunk: Buffer): Buffer {
    if (this.#keys.length === 0) return chunk;
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) {
          this.found = true;
          return Buffer.from(passed);
        }
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) passed.push(byte);
    }
    return Buffer.from(passed);
  }
}
