import { limits } from "#base/limits.ts";
import type { EventMessage } from "#api/events.ts";
import { nowNano } from "#core/clock/clock.ts";
import type { EventFilter, EventLog } from "#core/events/events.ts";

/** Longest delay a timer takes; an `until` beyond it ends the follower then, after 24 days. */
const timerMsMax = 2 ** 31 - 1;

interface Entry {
  readonly nano: bigint;
  readonly event: EventMessage;
}

interface Reader {
  readonly queue: Entry[];
  lagged: boolean;
  wake: () => void;
}

/** Keeps the last events in memory; every reader has its own bounded queue, so that a slow one is ended and nobody waits for it. */
export class MemoryEventLog implements EventLog {
  readonly #backlog: Entry[] = [];
  readonly #readers = new Set<Reader>();
  readonly #max: number;
  #published = 0;

  constructor(opts: { max?: number } = {}) {
    this.#max = opts.max ?? limits.eventBacklogMax;
  }

  /** Events since the engine started. */
  get publishedCount(): number {
    return this.#published;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  publish({ type, action, id, attributes = {} }: { type: string; action: string; id: string; attributes?: Readonly<Record<string, string>> }): void {
    const nano = nowNano();
    this.#published += 1;
    const entry: Entry = { nano, event: message(type, action, id, attributes, nano) };
    this.#backlog.push(entry);
    if (this.#backlog.length > this.#max) this.#backlog.shift();
    for (const reader of this.#readers) {
      if (reader.queue.length < this.#max) reader.queue.push(entry);
      else reader.lagged = true;
      reader.wake();
    }
  }

  follow(opts: { sinceNano?: bigint; untilNano?: bigint; filter?: EventFilter; signal: AbortSignal }): AsyncIterable<EventMessage> {
    const { sinceNano, untilNano, filter, signal } = opts;
    // Registered here, not at the first read: nothing that happens in between may be missed.
    const reader: Reader = { queue: sinceNano === undefined ? [] : this.#backlog.filter(({ nano }) => nano >= sinceNano), lagged: false, wake: () => {} };
    if (!signal.aborted) this.#readers.add(reader);
    const end = (): void => {
      this.#readers.delete(reader);
      reader.wake();
    };
    signal.addEventListener("abort", end, { once: true });
    const timer = untilNano === undefined ? undefined : setTimeout(end, Math.min(timerMsMax, Math.max(0, Number((untilNano - nowNano()) / 1_000_000n))));
    return this.#read(reader, { untilNano, filter, signal, end, timer });
  }

  async *#read(
    reader: Reader,
    opts: { untilNano: bigint | undefined; filter: EventFilter | undefined; signal: AbortSignal; end: () => void; timer: NodeJS.Timeout | undefined },
  ): AsyncGenerator<EventMessage> {
    try {
      for (;;) {
        const entry = reader.queue.shift();
        if (entry !== undefined) {
          if (opts.untilNano !== undefined && entry.nano > opts.untilNano) return;
          if (opts.filter === undefined || opts.filter(entry.event)) yield entry.event;
          continue;
        }
        if (opts.signal.aborted || reader.lagged || !this.#readers.has(reader)) return;
        await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      opts.signal.removeEventListener("abort", opts.end);
      clearTimeout(opts.timer);
      opts.end();
    }
  }
}

function message(type: string, action: string, id: string, attributes: Readonly<Record<string, string>>, nano: bigint): EventMessage {
  // Containers and images carry the fields of API versions before 1.22 as well; clients still read them.
  const legacy =
    type === "container"
      ? { status: action, ...(id === "" ? {} : { id }), ...(attributes["image"] === undefined ? {} : { from: attributes["image"] }) }
      : type === "image"
        ? { status: action, ...(id === "" ? {} : { id }) }
        : {};
  return {
    ...legacy,
    Type: type,
    Action: action,
    // In the order of their names, as Go writes a map.
    Actor: { ID: id, Attributes: Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))) },
    scope: "local",
    time: Number(nano / 1_000_000_000n),
    timeNano: Number(nano),
  };
}
