import type { Duplex } from "node:stream";
import { Emitter } from "#base/event.ts";
import { ctlLineBytesMax, decodeToHost, encodeCtl, type ToGuest, type ToHost } from "#link/ctl.ts";
import { JsonLines } from "#link/lines.ts";

const pingIntervalMs = 2_000;
const timeIntervalMs = 10_000;

export interface Engine {
  /** Changes with every start of the engine. */
  readonly epoch: string;
  /** Changes with every boot of the guest, known from its hello. */
  readonly boot?: string;
  readonly version?: string;
}

/**
 * The host's end of the `ctl` port: keeps the guest's clock, tells a new engine from an old one, asks for the shutdown.
 * The port stays open when the engine dies; only answers show that one lives.
 */
export class Ctl {
  /** An engine that was not there before: the first one, or one that was started again. */
  readonly engines = new Emitter<Engine>();
  readonly #stream: Duplex;
  readonly #ended = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;
  #engine: Engine | undefined;
  #seq = 0;
  #lastHeard: number | undefined;
  #lastTime = 0;
  #lastTick = { wall: Date.now(), mono: performance.now() };
  #bye: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const lines = new JsonLines(ctlLineBytesMax);
    stream.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#onMessage(decodeToHost(line));
    });
    stream.on("error", () => {});
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      clearInterval(this.#timer);
      this.#ended.resolve();
    });
    this.#timer = setInterval(() => this.#tick(), pingIntervalMs);
  }

  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Milliseconds since the engine last said anything; undefined before its first word. */
  get silenceMs(): number | undefined {
    return this.#lastHeard === undefined ? undefined : performance.now() - this.#lastHeard;
  }

  /** Resolves with the engine, once it has spoken. A guest that dies first is told by QEMU's end, not here: `signal` must abort then. */
  async hello(signal: AbortSignal): Promise<Engine> {
    if (this.#engine) return this.#engine;
    signal.throwIfAborted();
    return await new Promise((resolve, reject) => {
      const heard = this.engines.on((engine) => {
        heard[Symbol.dispose]();
        resolve(engine);
      });
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }

  /** Asks the engine to stop its containers and power off. Resolves when it says that it does. */
  async shutdown(signal: AbortSignal): Promise<void> {
    this.#send({ t: "shutdown" });
    await new Promise<void>((resolve, reject) => {
      this.#bye = resolve;
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      void this.#ended.promise.then(resolve);
    });
  }

  /** Has the engine open its end of the link afresh. */
  reset(): void {
    this.#send({ t: "reset" });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.destroy();
  }

  #send(message: ToGuest): void {
    // Without an engine the bytes would pile up here.
    if (!this.#stream.destroyed && this.#stream.writableLength < ctlLineBytesMax) this.#stream.write(encodeCtl(message));
  }

  #tick(): void {
    this.#send({ t: "ping", seq: ++this.#seq });
    const now = { wall: Date.now(), mono: performance.now() };
    // The clocks drift apart when this computer slept or its time was set: the guest must know at once.
    const jumped = Math.abs(now.wall - this.#lastTick.wall - (now.mono - this.#lastTick.mono)) > 1_000 || now.mono - this.#lastTick.mono > 3 * pingIntervalMs;
    this.#lastTick = now;
    if (jumped || now.mono - this.#lastTime >= timeIntervalMs) this.#pushTime(now.mono);
  }

  #pushTime(mono: number): void {
    this.#lastTime = mono;
    this.#send({ t: "settime", unixMs: Date.now() });
  }

  #onMessage(message: ToHost | undefined): void {
    if (!message) return;
    this.#lastHeard = performance.now();
    if (message.epoch !== this.#engine?.epoch || (message.t === "hello" && this.#engine.boot === undefined)) {
      const fresh = message.epoch !== this.#engine?.epoch;
      this.#engine = message.t === "hello" ? { epoch: message.epoch, boot: message.boot, version: message.version } : { epoch: message.epoch };
      if (fresh) this.engines.fire(this.#engine);
    }
    if (message.t === "hello") this.#pushTime(performance.now());
    if (message.t === "bye") this.#bye?.();
  }
}
