import { statfs } from "node:fs/promises";
import { delay } from "#base/deadline.ts";
import { roomFrom } from "#base/disk-room.ts";
import type { StatusBoard } from "#machine/status.ts";
import type { Ctl } from "./ctl.ts";
import type { Qmp } from "./qmp.ts";

/** Less than this is taken again at once. */
const roomBytesMin = 256 * 2 ** 20;
const everyMs = 2_000;
/** A guest that goes on has spoken by then. */
const wordMsMax = 30_000;

export const starvedNotice =
  "This computer's disk is full: the virtual machine is paused, and nothing in it is lost. It goes on by itself once 256 MB are free.";

export interface StarvationParts {
  readonly qmp: Pick<Qmp, "events" | "execute">;
  readonly ctl: Pick<Ctl, "silenceMs">;
  readonly board: StatusBoard;
  /** The data disk's file. */
  readonly disk: string;
  /** For tests. */
  readonly freeBytes?: (path: string) => Promise<number>;
  readonly everyMs?: number;
}

/**
 * QEMU pauses a guest whose disk file cannot grow any more (`werror=enospc`, its default), so that the guest sees no write fail.
 * This waits for room on the computer's disk and lets the guest go on.
 */
export class DiskStarvation implements Disposable {
  readonly #parts: Required<StarvationParts>;
  readonly #listening: Disposable;
  readonly #over = new AbortController();
  #held = false;

  constructor(parts: StarvationParts) {
    this.#parts = { freeBytes: freeBytesOf, everyMs, ...parts };
    this.#listening = parts.qmp.events.on(({ event }) => {
      if (event === "STOP" && !this.#held) void this.#hold().catch(() => undefined); // QEMU is gone: who watches it says so
    });
  }

  /** The guest is silent because it is paused, or has just gone on. */
  get held(): boolean {
    return this.#held;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#over.abort();
  }

  async #hold(): Promise<void> {
    if (!(await this.#starved())) return;
    const { board, disk, qmp, freeBytes } = this.#parts;
    this.#held = true;
    board.notice(starvedNotice);
    try {
      while (await this.#starved()) {
        await delay(this.#parts.everyMs, this.#over.signal);
        if ((await freeBytes(disk)) >= roomBytesMin) await qmp.execute("cont");
      }
      await this.#word();
    } finally {
      this.#held = false;
      board.set({ notices: board.current.notices.filter((notice) => notice !== starvedNotice) });
    }
  }

  async #starved(): Promise<boolean> {
    const { status } = ((await this.#parts.qmp.execute("query-status")) ?? {}) as { readonly status?: string };
    return status === "io-error";
  }

  /** Its long silence is not held against it until it had time to speak. */
  async #word(): Promise<void> {
    const until = performance.now() + wordMsMax;
    while ((this.#parts.ctl.silenceMs ?? 0) > this.#parts.everyMs && performance.now() < until) await delay(this.#parts.everyMs, this.#over.signal);
  }
}

const freeBytesOf = async (path: string): Promise<number> => roomFrom(await statfs(path)).freeBytes;
