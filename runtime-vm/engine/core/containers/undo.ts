import type { Journal } from "../journal/journal.ts";

/**
 * What has to be taken back, in reverse, when the work of several steps fails. A step of the undoing that fails itself is logged
 * and the others still run: the caller gets the failure that started it.
 */
export class Undo implements AsyncDisposable {
  readonly #journal: Journal;
  #steps: { readonly what: string; readonly run: () => unknown }[] = [];

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  defer(what: string, run: () => unknown): void {
    this.#steps.push({ what, run });
  }

  /** The work succeeded: nothing is taken back. */
  commit(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { what, run } of this.#steps.reverse()) {
      try {
        await run();
      } catch (error) {
        this.#journal.warn(`undoing: could not ${what}`, error);
      }
    }
    this.#steps = [];
  }
}
