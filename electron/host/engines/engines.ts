import { randomUUID } from "node:crypto";
import type { MachineStatus } from "#api/machine.ts";
import { EngineError } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { AddedEngine, EngineAddress, EngineCheck, HostEvents, RemoteEngine } from "#bridge/bridge.ts";
import type { Machine } from "#machine/machine.ts";
import { EngineConnection } from "#host/engine.ts";
import { remoteMachine } from "#host/remote.ts";
import type { SettingsStore } from "#host/settings.ts";
import { placeOf, portHostOf } from "./address.ts";
import { contextEngines } from "./contexts.ts";
import { probe, routeTo } from "./route.ts";
import { unreached } from "./unreached.ts";

interface Open {
  readonly engine: EngineAddress;
  readonly machine: Machine;
  readonly connection: EngineConnection;
  readonly close: () => Promise<void>;
}

/** The engines beside this computer's: those of the settings and those of docker's contexts, each reached once somebody asks for it. */
export class Engines implements AsyncDisposable {
  readonly #settings: SettingsStore;
  readonly #dockerConfig: string;
  readonly #open = new Map<string, Open>();
  readonly #changed = new Emitter<HostEvents["engine"]>();

  constructor(settings: SettingsStore, dockerConfig: string) {
    this.#settings = settings;
    this.#dockerConfig = dockerConfig;
  }

  onStatus(listener: (status: HostEvents["engine"]) => void): Disposable {
    return this.#changed.on(listener);
  }

  async list(): Promise<readonly RemoteEngine[]> {
    return [...this.#settings.current.engines.map(shown), ...(await contextEngines(this.#dockerConfig))];
  }

  async check(address: EngineAddress, { signal }: { readonly signal: AbortSignal }): Promise<EngineCheck> {
    await using route = routeTo(address);
    try {
      return { reached: true, version: (await probe(route.dial, signal)).version };
    } catch (error) {
      const { unreached: cause, message: words } = unreached(error);
      return { reached: false, cause, words };
    }
  }

  async add(engine: EngineAddress & { readonly name: string }): Promise<RemoteEngine> {
    placeOf(engine); // refuses what is no address
    const added: AddedEngine = { id: randomUUID(), ...engine };
    await this.#settings.set({ engines: [...this.#settings.current.engines, added] });
    return shown(added);
  }

  async remove(id: string): Promise<void> {
    const { engines } = this.#settings.current;
    if (!engines.some((engine) => engine.id === id)) throw new EngineError("notFound", "this engine is not one of those that were added");
    await this.#settings.set({ engines: engines.filter((engine) => engine.id !== id) });
    await this.#close(id);
  }

  async status(id: string): Promise<MachineStatus> {
    const { machine } = await this.#opened(id, true);
    if (machine.status.phase === "stopped") this.#reach(machine);
    return machine.status;
  }

  async connect(id: string, opts: { readonly signal: AbortSignal }): Promise<void> {
    await (await this.#opened(id)).machine.start(opts);
  }

  /** For requests and streams to it. */
  async connection(id: string): Promise<EngineConnection> {
    const { machine, connection } = await this.#opened(id);
    if (machine.status.phase === "stopped") this.#reach(machine);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#open.keys()]) await this.#close(id);
  }

  #reach(machine: Machine): void {
    machine.start({ signal: new AbortController().signal }).catch(() => undefined); // its status tells
  }

  /** `fresh`: docker's contexts are read again, as they may have changed. */
  async #opened(id: string, fresh = false): Promise<Open> {
    const open = this.#open.get(id);
    const added = this.#settings.current.engines.find((each) => each.id === id);
    const engine = added ?? (open !== undefined && !fresh ? open.engine : (await this.list()).find((each) => each.id === id));
    if (engine === undefined) {
      await this.#close(id);
      throw new EngineError("notFound", "this engine is no longer in the list of engines");
    }
    // Looked up again: others may have been here meanwhile.
    const before = this.#open.get(id);
    if (before !== undefined && sameAddress(before.engine, engine)) return before;
    const route = routeTo(engine);
    const machine = remoteMachine(route);
    const listening = machine.onStatus((status) => this.#changed.fire({ id, status }));
    const made: Open = {
      engine,
      machine,
      connection: new EngineConnection(route.dial),
      async close() {
        await machine[Symbol.asyncDispose]();
        listening[Symbol.dispose]();
        await route[Symbol.asyncDispose]();
      },
    };
    this.#open.set(id, made);
    await before?.close();
    return made;
  }

  async #close(id: string): Promise<void> {
    const open = this.#open.get(id);
    this.#open.delete(id);
    await open?.close();
  }
}

const sameAddress = (a: EngineAddress, b: EngineAddress): boolean => JSON.stringify([a.url, a.tls]) === JSON.stringify([b.url, b.tls]);

const shown = (engine: AddedEngine): RemoteEngine => ({ ...engine, source: "added", portHost: portHostOf(engine) });
