import type { EventMessage } from "#api/events.ts";
import type { Pressure, PressureEvent, PressureField } from "#api/pressure.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { EventLog } from "../events/events.ts";
import type { Journal } from "../journal/journal.ts";
import type { CounterField, PressureReader, Reading } from "./pressure.ts";
import { nowNano } from "../clock/clock.ts";
import { History, sampleSeconds } from "./ring.ts";

/** A container whose pressure is recorded while it runs. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  /** Absent: it does not run. */
  readonly cgroup?: string;
  readonly cpus?: number;
}

interface Recorded {
  readonly history: History;
  readonly events: PressureEvent[];
  before?: { readonly cgroup: string; readonly second: number; readonly reading: Reading };
}

/** Kept of each. */
const eventsMax = 200;
const told = new Set(["start", "restart", "die", "oom", "update", "pause", "unpause", "kill", "stop"]);
const daySeconds = 24 * 60 * 60;

export interface RecorderParts {
  readonly reader: PressureReader;
  readonly events: Pick<EventLog, "follow">;
  readonly journal: Journal;
  /** All there are. */
  readonly subjects: () => readonly Subject[];
}

/**
 * The pressure on the machine and on each container, for a day: one timer that looks at all of them, rings of fixed size, and the events that
 * explain what is seen. Nothing is kept of a container that was removed, and nothing over a restart of the engine.
 */
export class PressureRecorder implements Disposable {
  readonly #parts: RecorderParts;
  readonly #machine: Recorded = { history: new History(), events: [] };
  readonly #containers = new Map<string, Recorded>();
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #collected = Promise.resolve();
  #seenNano = nowNano();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#sample(), sampleSeconds * 1_000);
    this.#timer.unref();
  }

  async machine(): Promise<Pressure> {
    await this.#collect();
    return { ...this.#read(this.#machine), Limits: limitsOf(this.#parts.reader.machine().gauges["memory.limit"]) };
  }

  async container(id: string): Promise<Pressure> {
    await this.#collect();
    const subject = this.#parts.subjects().find((one) => one.id === id);
    if (subject === undefined) throw new EngineError("notFound", `No such container: ${id}`);
    const memory = subject.cgroup === undefined ? undefined : this.#parts.reader.container(subject.cgroup).gauges["memory.limit"];
    return { Id: id, Name: subject.name, ...this.#read(this.#record(id)), Limits: limitsOf(memory, subject.cpus) };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#stop.abort();
  }

  #read({ history, events }: Recorded): Omit<Pressure, "Limits"> {
    const second = Date.now() / 1_000;
    return { ...history.read(second), Events: events.filter(({ Time }) => Time > second - daySeconds) };
  }

  #record(id: string): Recorded {
    const known = this.#containers.get(id) ?? { history: new History(), events: [] };
    this.#containers.set(id, known);
    return known;
  }

  async #sample(): Promise<void> {
    const { reader, subjects, journal } = this.#parts;
    try {
      await this.#collect();
      const second = Date.now() / 1_000;
      add(this.#machine, "", second, reader.machine());
      const all = subjects();
      for (const { id, cgroup } of all) if (cgroup !== undefined) add(this.#record(id), cgroup, second, reader.container(cgroup));
      const there = new Set(all.map(({ id }) => id));
      for (const id of this.#containers.keys()) if (!there.has(id)) this.#containers.delete(id);
    } catch (error) {
      journal.debug(`pressure: a sample is missing: ${messageOf(error)}`);
    }
  }

  /** What happened since it was last looked at: nobody listens in between. */
  #collect(): Promise<void> {
    this.#collected = this.#collected.then(async () => {
      const untilNano = nowNano();
      const sinceNano = this.#seenNano + 1n;
      this.#seenNano = untilNano;
      const filter = ({ Type, Action }: EventMessage): boolean => Type === "container" && told.has(Action);
      for await (const event of this.#parts.events.follow({ sinceNano, untilNano, filter, signal: this.#stop.signal })) this.#note(event);
    });
    return this.#collected;
  }

  #note({ Action, Actor, timeNano }: EventMessage): void {
    const exitCode = Actor.Attributes["exitCode"];
    const event: PressureEvent = {
      Time: Number(timeNano) / 1e9,
      Action,
      Id: Actor.ID,
      Name: Actor.Attributes["name"] ?? "",
      ...(exitCode === undefined ? {} : { ExitCode: Number(exitCode) }),
    };
    for (const { events } of [this.#machine, this.#record(Actor.ID)]) if (events.push(event) > eventsMax) events.shift();
  }
}

function add(record: Recorded, cgroup: string, second: number, reading: Reading): void {
  const { before } = record;
  record.before = { cgroup, second, reading };
  const values: Partial<Record<PressureField, number>> = { ...reading.gauges };
  // Another run counts from the beginning again.
  if (before?.cgroup === cgroup && second > before.second) Object.assign(values, rates(before.reading, reading, second - before.second));
  record.history.add(second, values);
}

/** Of two readings: what part of the time between them each counter grew. A counter that went back says nothing. */
function rates(before: Reading, now: Reading, seconds: number): Partial<Record<CounterField, number>> {
  const found: Partial<Record<CounterField, number>> = {};
  for (const [field, value] of Object.entries(now.counters) as [CounterField, number][]) {
    const grown = value - (before.counters[field] ?? Number.NaN);
    if (grown >= 0) found[field] = field === "cpu" ? grown / seconds : Math.min(1, grown / seconds);
  }
  return found;
}

const limitsOf = (memory: number | undefined, cpus?: number): Pressure["Limits"] => ({
  ...(memory === undefined ? {} : { MemoryBytes: memory }),
  ...(cpus === undefined ? {} : { Cpus: cpus }),
});
