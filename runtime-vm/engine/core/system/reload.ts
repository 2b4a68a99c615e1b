import { hostname } from "node:os";
import { messageOf } from "#base/errors.ts";
import type { Reloaded } from "../config/live.ts";
import type { EventLog } from "../events/events.ts";
import type { Journal } from "../journal/journal.ts";

/** Runs what takes the new configuration over, and tells of it. */
export type Reload = (take: () => Reloaded) => void;

/** A file that cannot be read is logged, and the engine goes on as before. */
export function reloader({ journal, events, engineId }: { journal: Journal; events: EventLog; engineId: string }): Reload {
  return (take) => {
    try {
      const { attributes, waiting, warnings } = take();
      journal.info(`configuration reloaded: ${JSON.stringify(attributes)}`);
      for (const warning of warnings) journal.warn(warning);
      if (waiting.length > 0) journal.warn(`these settings count from the next start on: ${waiting.join(", ")}`);
      events.publish({ type: "daemon", action: "reload", id: engineId, attributes: { ...attributes, name: hostname() } });
    } catch (error) {
      journal.error(`the configuration was not reloaded, everything stays as it was: ${messageOf(error)}`);
    }
  };
}
