import type { EventMessage } from "#api/events.ts";
import { type Key, keys } from "./keys.ts";

/**
 * Which answers an engine event makes stale. The window never guesses a new state from an event: it marks keys and
 * the engine is asked again.
 */
export function staleKeys(event: EventMessage): readonly Key[] {
  switch (event.Type) {
    case "container":
      return containerKeys(event);
    case "image":
      return [keys.images, ["image"], ...(event.Action === "delete" || event.Action === "load" ? [keys.trash] : [])];
    case "volume":
      return [keys.volumes, keys.volume(event.Actor.ID), ["container"], ...trashKeys(event)];
    case "network":
      return networkKeys(event);
    case "daemon":
      return [keys.info];
    default:
      return [];
  }
}

/** Actions after which the container, as listed or inspected, is what it was before. */
const quietActions = new Set(["attach", "detach", "top", "resize", "export", "copy", "archive-path", "extract-to-dir", "commit"]);

function containerKeys(event: EventMessage): readonly Key[] {
  // Docker appends the command to exec events ("exec_start: sh") and the health to "health_status: healthy".
  const action = event.Action.split(":")[0] ?? "";
  if (quietActions.has(action) || action.startsWith("exec_")) return [];
  const own = [keys.containers, keys.container(event.Actor.ID)];
  // An image's user count and a volume's users change with the set of containers.
  if (action === "create" || action === "destroy") return [...own, keys.images, keys.volumes, keys.trash];
  return own;
}

/** What was removed is in the trash, and what came may have been there. */
const trashKeys = ({ Action }: EventMessage): readonly Key[] => (Action === "create" || Action === "destroy" ? [keys.trash] : []);

function networkKeys(event: EventMessage): readonly Key[] {
  const own = [keys.networks, keys.network(event.Actor.ID), ...trashKeys(event)];
  if (event.Action !== "connect" && event.Action !== "disconnect") return own;
  const container = event.Actor.Attributes["container"];
  return container === undefined ? own : [...own, keys.containers, keys.container(container)];
}
