import { expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import type { EventLog } from "./events.ts";

/** What any EventLog does. `max` is the backlog the log was made with. */
export function eventLogSuite(name: string, max: number, make: () => EventLog): void {
  const publish = (log: EventLog, ...ids: string[]): void =>
    ids.forEach((id) => log.publish({ type: "container", action: "start", id, attributes: { image: "busybox" } }));
  async function collect(events: AsyncIterable<EventMessage>): Promise<string[]> {
    const ids: string[] = [];
    for await (const event of events) ids.push(event.Actor.ID);
    return ids;
  }

  test(`${name}: a follower sees what happens after it asked, even before it reads`, async () => {
    const log = make();
    publish(log, "before");
    const stop = new AbortController();
    const events = log.follow({ signal: stop.signal });
    publish(log, "a", "b");
    stop.abort();
    expect(await collect(events)).toEqual(["a", "b"]);
  });

  test(`${name}: since answers from the backlog, until ends`, async () => {
    const log = make();
    publish(log, "a", "b");
    const until = BigInt(Date.now() + 1) * 1_000_000n;
    expect(await collect(log.follow({ sinceNano: 0n, untilNano: until, signal: new AbortController().signal }))).toEqual(["a", "b"]);
    expect(await collect(log.follow({ sinceNano: until + 10n ** 12n, untilNano: 0n, signal: new AbortController().signal }))).toEqual([]);
  });

  test(`${name}: the backlog is bounded`, async () => {
    const log = make();
    publish(log, ...Array.from({ length: max + 5 }, (_, i) => String(i)));
    const kept = await collect(log.follow({ sinceNano: 0n, untilNano: 1n << 62n, signal: AbortSignal.timeout(1) }));
    expect(kept.length).toBe(max);
    expect(kept[0]).toBe("5");
  });

  test(`${name}: a reader that never reads is ended after what it was given`, async () => {
    const log = make();
    const events = log.follow({ signal: new AbortController().signal });
    publish(log, ...Array.from({ length: max + 5 }, (_, i) => String(i)));
    expect((await collect(events)).length).toBe(max);
  });

  test(`${name}: a filter passes what it accepts`, async () => {
    const log = make();
    const stop = new AbortController();
    const events = log.follow({ signal: stop.signal, filter: (event) => event.Actor.ID !== "b" });
    publish(log, "a", "b", "c");
    stop.abort();
    expect(await collect(events)).toEqual(["a", "c"]);
  });

  test(`${name}: container events carry the old fields too`, async () => {
    const log = make();
    const stop = new AbortController();
    const events = log.follow({ signal: stop.signal });
    publish(log, "a");
    log.publish({ type: "network", action: "create", id: "n" });
    stop.abort();
    const seen: EventMessage[] = [];
    for await (const event of events) seen.push(event);
    expect(seen[0]).toMatchObject({ status: "start", id: "a", from: "busybox", Type: "container", Action: "start", scope: "local" });
    expect(seen[1]).not.toHaveProperty("status");
  });
}
