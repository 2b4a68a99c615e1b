import type { EventMessage } from "#api/events.ts";
import { type Filters, matchesLabels } from "#api/filters.ts";
import type { EventFilter } from "./events.ts";

/** Actions that carry what they did behind a colon: `exec_create: ls`, `health_status: healthy`. */
const prefixed = ["exec_create", "exec_start", "health_status"];

/** Types that are asked for by name; some of them are never told of here. */
const kinds = ["container", "volume", "network", "daemon", "plugin", "service", "node", "secret", "config"] as const;

/** The predicate of `/events?filters=`: any value of a name, every name. Names nobody knows accept everything, as with dockerd. */
export function eventFilter(filters: Filters): EventFilter {
  const any = (name: string, test: (wanted: string) => boolean): boolean => {
    const values = filters[name];
    return values === undefined || values.length === 0 || values.some(test);
  };
  return (event) =>
    any("event", (wanted) => event.Action === wanted || (prefixed.includes(wanted) && event.Action.startsWith(`${wanted}:`))) &&
    any("type", (wanted) => event.Type === wanted) &&
    any("scope", (wanted) => event.scope === wanted) &&
    kinds.every((kind) => any(kind, (wanted) => concerns(event, kind, wanted))) &&
    any("image", (wanted) => ofImage(event, wanted)) &&
    matchesLabels(filters["label"], event.Actor.Attributes);
}

/** By the beginning of an id or a name. */
function concerns(event: EventMessage, type: string, wanted: string): boolean {
  return event.Type === type && (event.Actor.ID.startsWith(wanted) || event.Actor.Attributes["name"]?.startsWith(wanted) === true);
}

/** An image's own events, and those of containers made from it; a tag may be left out. */
function ofImage(event: EventMessage, wanted: string): boolean {
  const names = [event.Actor.ID, event.Actor.Attributes["name"], event.Actor.Attributes["image"]].filter((name) => name !== undefined);
  const untagged = (name: string): string => name.replace(/:[^:/]+$/, "");
  if (event.Type !== "image" && event.Actor.Attributes["image"] === undefined) return false;
  return names.some((name) => name === wanted || untagged(name) === wanted);
}
