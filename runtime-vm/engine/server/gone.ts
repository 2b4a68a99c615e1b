import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";

/** Turns "the client is gone" into a signal, only for handlers that ask. */
export class Gone {
  readonly #target: ServerResponse | Duplex | undefined;
  #controller: AbortController | undefined;
  #happened = false;

  constructor(target: ServerResponse | Duplex | undefined) {
    this.#target = target;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#watch();
    if (this.#happened || this.#target?.destroyed === true) this.now();
    return this.#controller.signal;
  }

  #watch(): AbortController {
    const target = this.#target;
    target?.once("close", () => {
      const whole = "writableFinished" in target && target.writableFinished;
      if (!whole) this.now();
    });
    return new AbortController();
  }

  now(): void {
    this.#happened = true;
    this.#controller?.abort(new EngineError("cancelled", "the client is gone"));
  }
}
