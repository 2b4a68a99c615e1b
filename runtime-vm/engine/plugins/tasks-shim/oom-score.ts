import { readFileSync, writeFileSync } from "node:fs";

/** Those that may work at a time: all want one score. */
interface Turn {
  readonly score: number;
  /** At work, or waiting for the turn to begin. */
  users: number;
  begun: Promise<void>;
  /** The shim's own score, which it has again afterwards; undefined: it is the same. */
  own?: number;
  readonly ended: PromiseWithResolvers<void>;
}

/**
 * What the kernel adds to a shim's badness when it looks for a process to kill. Processes inherit it, and crun gives an exec no other:
 * without this a program would begin with the shim's, which is for the shim alone.
 */
export class OomScore {
  readonly #path: string;
  #last: Turn | undefined;

  constructor(pid: number) {
    this.#path = `/proc/${pid}/oom_score_adj`;
  }

  /** What `work` has the shim start begins with `score`. Work that wants another score waits. */
  async during<T>(score: number, work: () => Promise<T>): Promise<T> {
    const turn = this.#join(score);
    try {
      await turn.begun;
      return await work();
    } finally {
      turn.users--;
      if (turn.users === 0) {
        if (this.#last === turn) this.#last = undefined;
        if (turn.own !== undefined) this.#write(turn.own);
        turn.ended.resolve();
      }
    }
  }

  #join(score: number): Turn {
    const last = this.#last;
    if (last?.score === score) {
      last.users++;
      return last;
    }
    const turn: Turn = { score, users: 1, begun: Promise.resolve(), ended: Promise.withResolvers() };
    turn.begun = this.#begin(turn, last);
    this.#last = turn;
    return turn;
  }

  async #begin(turn: Turn, before: Turn | undefined): Promise<void> {
    await before?.ended.promise;
    const own = this.#read();
    if (own === undefined || own === turn.score) return;
    turn.own = own;
    this.#write(turn.score);
  }

  #read(): number | undefined {
    try {
      return Number(readFileSync(this.#path).toString());
    } catch {
      // The shim is gone; who works with it will be told.
      return undefined;
    }
  }

  #write(score: number): void {
    try {
      writeFileSync(this.#path, String(score));
    } catch {
      // As above; or the system does not let us lower it, and then it did not let us start such a container either.
    }
  }
}
