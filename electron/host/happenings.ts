import type { EventMessage } from "#api/events.ts";
import type { MachineStatus } from "#api/machine.ts";
import { delay } from "#base/deadline.ts";
import { type DiskLevel, type DiskRoom, levelOf, takenShare } from "#base/disk-room.ts";
import { Emitter } from "#base/event.ts";
import type { Notified } from "#bridge/bridge.ts";
import type { EngineClient } from "#client/client.ts";

/** A running container, as a menu shows it. */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
}

/** Something that a person who is not looking at the window may want to know. */
export type Happening = ContainerHappening | EngineHappening;

/** Of a container: `exitCode` is as Docker's event says it. */
export type ContainerHappening = { readonly kind: Notified; readonly container: string; readonly name: string } & (
  | { readonly what: "exited" | "outOfMemory"; readonly exitCode: string }
  | { readonly what: "unhealthy" }
);

/** Of the engine: why it failed, where that is known; how full its disk is. */
export type EngineHappening = { readonly kind: Notified } & (
  | { readonly what: "failed"; readonly reason: string | undefined }
  | { readonly what: "diskFull"; readonly percent: number; readonly freeBytes: number }
);

const listedMax = 500;
const rereadMs = 200;
const retryMsFirst = 500;
const retryMsMax = 10_000;
/** An end so long after a signal, or sooner, was what the signal asked for. */
const signalledMs = 60_000;
/** A container that fails again and again is told of once in this time. */
const quietMs = 60_000;

const listChanging: ReadonlySet<string> = new Set(["start", "die", "rename", "destroy"]);

export interface HappeningsOptions {
  readonly client: EngineClient;
  readonly status: () => MachineStatus;
  readonly onStatus: (listener: (status: MachineStatus) => void) => Disposable;
}

/** Follows the engine while it runs: which containers run, and what of them is worth a notification. */
export class Happenings implements Disposable {
  readonly #client: EngineClient;
  readonly #running = new Emitter<readonly RunningContainer[]>();
  readonly #happened = new Emitter<Happening>();
  readonly #listening: Disposable;
  /** When somebody sent a signal to a container: its end is then no news. */
  readonly #signalled = new Map<string, number>();
  readonly #outOfMemory = new Set<string>();
  readonly #told = new Map<string, number>();
  #following: AbortController | undefined;
  #phase: MachineStatus["phase"] = "stopped";
  #diskLevel: DiskLevel = "plenty";
  #rereading: NodeJS.Timeout | undefined;

  constructor({ client, status, onStatus }: HappeningsOptions) {
    this.#client = client;
    this.#listening = onStatus((next) => this.#machine(next));
    this.#machine(status());
  }

  onRunning(listener: (containers: readonly RunningContainer[]) => void): Disposable {
    return this.#running.on(listener);
  }

  onHappening(listener: (happening: Happening) => void): Disposable {
    return this.#happened.on(listener);
  }

  /** Stops a container as `docker stop` does. */
  async stop(id: string): Promise<void> {
    await this.#client.call("POST", `/containers/${encodeURIComponent(id)}/stop`);
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#unfollow();
  }

  #machine({ phase, error, usage }: MachineStatus): void {
    if (usage?.disk !== undefined) this.#disk(usage.disk);
    if (phase === this.#phase) return;
    const before = this.#phase;
    this.#phase = phase;
    if (phase === "running") void this.#follow((this.#following = new AbortController()).signal);
    else this.#unfollow();
    if (phase === "failed" && before !== "stopped") this.#happened.fire({ kind: "engine", what: "failed", reason: error?.message });
  }

  /** Told when it gets fuller, not while it stays full. */
  #disk(room: DiskRoom): void {
    const before = this.#diskLevel;
    this.#diskLevel = levelOf(room);
    if (this.#diskLevel === "plenty" || this.#diskLevel === before || before === "critical") return;
    this.#happened.fire({ kind: "engine", what: "diskFull", percent: Math.floor(takenShare(room) * 100), freeBytes: room.freeBytes });
  }

  #unfollow(): void {
    clearTimeout(this.#rereading);
    this.#rereading = undefined;
    this.#following?.abort();
    this.#following = undefined;
    for (const memory of [this.#signalled, this.#outOfMemory, this.#told]) memory.clear();
    this.#running.fire([]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let pauseMs = retryMsFirst; !signal.aborted; pauseMs = Math.min(pauseMs * 2, retryMsMax)) {
      try {
        // From a moment before the list, so that nothing falls between the two.
        const since = Math.floor(Date.now() / 1000);
        await this.#reread(signal);
        const query = { since, filters: JSON.stringify({ type: ["container"] }) };
        for await (const event of this.#client.lines<EventMessage>("GET", "/events", { query, signal })) this.#seen(event, signal);
      } catch {
        // An engine that is away shows in the machine's state; here it only means: try again.
      }
      await delay(pauseMs, signal).catch(() => undefined);
    }
  }

  async #reread(signal: AbortSignal): Promise<void> {
    const rows = await this.#client.json<{ Id: string; Names: string[] }[]>("GET", "/containers/json", { query: { limit: listedMax }, signal });
    const running = rows.map(({ Id, Names }) => ({ id: Id, name: Names[0]?.slice(1) ?? Id.slice(0, 12) }));
    if (!signal.aborted) this.#running.fire(running);
  }

  #seen({ Action, Actor }: EventMessage, signal: AbortSignal): void {
    const { ID: id, Attributes: attributes } = Actor;
    const name = attributes["name"] ?? id.slice(0, 12);
    if (listChanging.has(Action)) this.#rereadSoon(signal);
    switch (Action) {
      case "kill":
        this.#signalled.set(id, Date.now());
        break;
      case "oom":
        this.#outOfMemory.add(id);
        break;
      case "die": {
        const wanted = Date.now() - (this.#signalled.get(id) ?? -signalledMs) < signalledMs;
        this.#signalled.delete(id);
        const oom = this.#outOfMemory.delete(id);
        const exitCode = attributes["exitCode"] ?? "0";
        if (oom) this.#tell({ kind: "exits", what: "outOfMemory", container: id, name, exitCode });
        else if (!wanted && exitCode !== "0") this.#tell({ kind: "exits", what: "exited", container: id, name, exitCode });
        break;
      }
      case "health_status: unhealthy":
        this.#tell({ kind: "health", what: "unhealthy", container: id, name });
        break;
      case "destroy":
        this.#signalled.delete(id);
        this.#outOfMemory.delete(id);
        this.#told.delete(id);
    }
  }

  #tell(happening: ContainerHappening): void {
    const now = Date.now();
    if (now - (this.#told.get(happening.container) ?? -quietMs) < quietMs) return;
    this.#told.set(happening.container, now);
    this.#happened.fire(happening);
  }

  #rereadSoon(signal: AbortSignal): void {
    this.#rereading ??= setTimeout(() => {
      this.#rereading = undefined;
      this.#reread(signal).catch(() => undefined); // the next event, or the next connection, reads it again
    }, rereadMs);
  }
}
