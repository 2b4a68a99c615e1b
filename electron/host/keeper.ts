import type { Duplex } from "node:stream";
import type { MachineStatus } from "#api/machine.ts";
import { EngineError } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Settings } from "#bridge/bridge.ts";
import type { Machine } from "#machine/machine.ts";

/** Windows hear of the status at most this often: a booting console changes it with every line. */
const announceMs = 100;

/** What of the settings a machine is made from. */
const madeFrom = ({ memoryMiB, cpus, diskGiB, folders, hostAccess }: Settings): string => JSON.stringify({ memoryMiB, cpus, diskGiB, folders, hostAccess });

/**
 * Keeps the one machine: starts, stops and restarts it one after another, makes it anew when its settings changed, and
 * lets connections wait while it starts.
 */
export class MachineKeeper implements AsyncDisposable {
  readonly #create: (settings: Settings) => Machine;
  readonly #settings: () => Settings;
  readonly #announced = new Emitter<MachineStatus>();
  readonly #lock = new KeyedLock();
  #machine: Machine;
  #made: string;
  #listening: Disposable;
  #starting = new AbortController();
  #announcing: NodeJS.Timeout | undefined;
  #pending = false;

  constructor(create: (settings: Settings) => Machine, settings: () => Settings) {
    this.#create = create;
    this.#settings = settings;
    this.#made = madeFrom(settings());
    this.#machine = create(settings());
    this.#listening = this.#machine.onStatus(() => this.#announce());
  }

  get status(): MachineStatus {
    return this.#machine.status;
  }

  onStatus(listener: (status: MachineStatus) => void): Disposable {
    return this.#announced.on(listener);
  }

  async start(): Promise<void> {
    using _held = await this.#lock.acquire("machine");
    await this.#start();
  }

  /** Also ends a start that is under way. */
  async stop(): Promise<void> {
    this.#starting.abort(new EngineError("cancelled", "the machine was stopped while it started"));
    using _held = await this.#lock.acquire("machine");
    await this.#machine.stop();
  }

  /** Also applies what of the settings a machine is made from. */
  async restart(): Promise<void> {
    this.#starting.abort(new EngineError("cancelled", "the machine was restarted while it started"));
    using _held = await this.#lock.acquire("machine");
    await this.#machine.stop();
    if (madeFrom(this.#settings()) !== this.#made) await this.#remake();
    await this.#start();
  }

  /** Stops the machine, deletes all that it keeps, and starts it with nothing. Class `notImplemented` where its data is not the machine's. */
  async erase(): Promise<void> {
    const machine = this.#machine;
    if (machine.erase === undefined)
      throw new EngineError("notImplemented", `the data of a ${machine.status.driver} engine is not kept by Slipway: delete it where that engine runs`);
    this.#starting.abort(new EngineError("cancelled", "the machine was erased while it started"));
    using _held = await this.#lock.acquire("machine");
    await machine.erase();
    await this.#start();
  }

  /** Ends the machine, whatever state it is in, makes another from the settings, and starts that. */
  async renew(): Promise<void> {
    this.#starting.abort(new EngineError("cancelled", "the machine was made anew while it started"));
    using _held = await this.#lock.acquire("machine");
    await this.#remake();
    await this.#start();
  }

  /** A stream to the engine; while the machine starts, the caller waits for it. */
  async connect({ signal }: { readonly signal: AbortSignal }): Promise<Duplex> {
    await this.#started(signal);
    return await this.#machine.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    clearTimeout(this.#announcing);
    this.#listening[Symbol.dispose]();
    await this.#machine[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    this.#starting = new AbortController();
    await this.#machine.start({ signal: this.#starting.signal });
  }

  async #remake(): Promise<void> {
    this.#listening[Symbol.dispose]();
    await this.#machine[Symbol.asyncDispose]();
    this.#made = madeFrom(this.#settings());
    this.#machine = this.#create(this.#settings());
    this.#listening = this.#machine.onStatus(() => this.#announce());
    this.#announce();
  }

  #started(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let listening: Disposable | undefined;
      const look = (): void => {
        if (this.status.phase === "starting" && !signal.aborted) return;
        listening?.[Symbol.dispose]();
        signal.removeEventListener("abort", look);
        if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new EngineError("cancelled", "cancelled"));
        else resolve();
      };
      listening = this.#announced.on(look);
      signal.addEventListener("abort", look);
      look();
    });
  }

  /** At once, then at most every `announceMs` with whatever is the newest. */
  #announce(): void {
    if (this.#announcing !== undefined) {
      this.#pending = true;
      return;
    }
    this.#announcing = setTimeout(() => {
      this.#announcing = undefined;
      if (this.#pending) this.#announce();
    }, announceMs);
    this.#announcing.unref();
    this.#pending = false;
    this.#announced.fire(this.status);
  }
}
