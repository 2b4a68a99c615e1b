import { useEffect, useState } from "react";
import type { ContainerInspect } from "#api/containers.ts";
import type { EventMessage } from "#api/events.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { ago, exactTime } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";

const keptMax = 500;
/** Said of every event; what is left is what happened. */
const usual = new Set(["image", "name"]);

/** What happened to the container: what the engine remembers, and each event as it comes. */
export function EventsTab({ container }: { readonly container: ContainerInspect }) {
  const { engine } = useApp();
  const up = useEngineUp();
  const now = useNow(10_000);
  const [events, setEvents] = useState<readonly EventMessage[]>([]);
  const [failure, setFailure] = useState<unknown>();
  const { Id: id } = container;

  useEffect(() => {
    if (!up) return;
    const stop = new AbortController();
    const follow = async (): Promise<void> => {
      setEvents([]);
      setFailure(undefined);
      try {
        for await (const event of engine.eventsOf(id, stop.signal)) setEvents((before) => [event, ...before].slice(0, keptMax));
      } catch (error) {
        if (!stop.signal.aborted) setFailure(error);
      }
    };
    void follow();
    return () => stop.abort();
  }, [engine, id, up]);

  const labels = new Set(Object.keys(container.Config.Labels ?? {}));
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4" data-testid="events">
      {failure !== undefined && <ErrorNotice explanation={explain(failure, t.events.failed)} />}
      <p className="mb-3 text-sm text-fg3">{events.length === 0 ? t.events.none : t.events.hint}</p>
      {events.length > 0 && (
        <SimpleTable
          label={t.events.label}
          head={["", t.events.event, t.common.details]}
          rows={events.map((event, index) => ({
            key: `${event.timeNano}-${events.length - index}`,
            cells: [
              <time key="time" dateTime={new Date(event.time * 1000).toISOString()} data-tip={exactTime(event.time)} className="text-fg3">
                {ago(event.time, now)}
              </time>,
              <span key="action" className="font-medium">
                {event.Action}
              </span>,
              <code key="more" className="font-mono text-sm text-fg2">
                {Object.entries(event.Actor.Attributes)
                  .filter(([key]) => !usual.has(key) && !labels.has(key))
                  .map(([key, value]) => `${key}=${value}`)
                  .join(" ")}
              </code>,
            ],
          }))}
        />
      )}
    </div>
  );
}
