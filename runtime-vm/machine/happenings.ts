import type { FileChange } from "#link/calls.ts";
import type { Happening } from "./tree-watch.ts";

/** What the system has said of one path since it was looked at last, and when, by performance.now(): of its name, and of anything. */
export interface Noted {
  readonly path: string;
  readonly what: Happening;
  readonly namedMs: number;
  readonly lastMs: number;
}

/**
 * Paths to look at, each once however much happens to it, in the order in which their names came and went last: so the two halves of a
 * rename, of which the system tells one after the other, stay beside each other.
 */
export class Happenings {
  readonly #noted = new Map<string, Noted>();
  #woken = Promise.withResolvers<void>();

  note(path: string, what: Happening): void {
    const lastMs = performance.now();
    const before = this.#noted.get(path);
    if (what === "named") this.#noted.delete(path);
    // What came is looked at as a whole: that it was written to besides says nothing more.
    const isNamed = what === "named" || before?.what === "named";
    const namedMs = what === "named" ? lastMs : (before?.namedMs ?? lastMs);
    this.#noted.set(path, { path, what: isNamed ? "named" : "changed", namedMs, lastMs });
    this.#woken.resolve();
  }

  /** Resolves when there is something, or after `wake`. */
  async some(): Promise<void> {
    if (this.#noted.size === 0) await this.#woken.promise;
    this.#woken = Promise.withResolvers();
  }

  wake = (): void => this.#woken.resolve();

  /** The first of what there is, which is forgotten; undefined at the end. */
  take(): Noted | undefined {
    const first = this.#noted.values().next();
    if (first.done === true) return undefined;
    this.#noted.delete(first.value.path);
    return first.value;
  }
}

/** A call has at most so many changes, and so many characters of paths: while one is read, the guest's engine does nothing else. */
const callMax = { changes: 1_024, characters: 128 * 1024 } as const;

/** Cut into calls in their order, but never between what went and what came, which may be one file that was renamed. */
export function inCalls<C extends Pick<FileChange, "path" | "what">>(changes: readonly C[]): readonly (readonly C[])[] {
  const calls: C[][] = [];
  let call: C[] = [];
  let characters = 0;
  for (const change of changes) {
    const isFull = call.length >= callMax.changes || characters >= callMax.characters;
    const isPair = change.what === "came" && call.at(-1)?.what === "gone";
    if (calls.length === 0 || (isFull && !isPair)) {
      calls.push((call = []));
      characters = 0;
    }
    call.push(change);
    characters += change.path.length;
  }
  return calls;
}
