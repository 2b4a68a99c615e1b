import type { MachineStatus } from "#api/machine.ts";
import { Emitter } from "#base/event.ts";

const logTailLinesMax = 200;

/** The one place a driver writes its state to; every change is announced whole. */
export class StatusBoard {
  readonly #changed = new Emitter<MachineStatus>();
  #status: MachineStatus;

  constructor(driver: string, accelerator: string) {
    this.#status = { phase: "stopped", driver, accelerator, steps: [], notices: [], restarts: 0, logTail: [] };
  }

  get current(): MachineStatus {
    return this.#status;
  }

  on(listener: (status: MachineStatus) => void): Disposable {
    return this.#changed.on(listener);
  }

  set(change: Partial<MachineStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#changed.fire(this.#status);
  }

  /** Forgets the error of an earlier try. */
  clearError(): void {
    const { error: _, ...rest } = this.#status;
    this.#status = rest;
  }

  notice(text: string): void {
    if (!this.#status.notices.includes(text)) this.set({ notices: [...this.#status.notices, text] });
  }

  log(line: string): void {
    this.set({ logTail: [...this.#status.logTail, line].slice(-logTailLinesMax) });
  }
}
