import type { EventMessage } from "#api/events.ts";

export type EventFilter = (event: EventMessage) => boolean;

/** What happened, as `/events` tells it. A bounded backlog answers `since`. */
export interface EventLog {
  publish(event: { type: string; action: string; id: string; attributes?: Readonly<Record<string, string>> }): void;
  /** Backlog from `sinceNano` (if given) and then live events, until the signal aborts or `untilNano` passes. Bounded: a reader that lags past the backlog is ended. */
  follow(opts: { sinceNano?: bigint; untilNano?: bigint; filter?: EventFilter; signal: AbortSignal }): AsyncIterable<EventMessage>;
}
