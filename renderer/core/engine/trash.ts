import type { Bridge } from "#bridge/bridge.ts";
import type { TrashEmptied, TrashList, TrashProjectRestored, TrashRestored } from "#api/trash.ts";
import { pathOf, request } from "./request.ts";

/** Of this engine's own: what was removed and can be brought back. */
export function trashCalls(bridge: Bridge) {
  return {
    list: () => request<TrashList>(bridge, "GET", "/slipway/trash"),
    restore: (id: string) => request<TrashRestored>(bridge, "POST", `/slipway/trash/${id}/restore`),
    /** All of a Compose project. */
    restoreProject: (project: string) => request<TrashProjectRestored>(bridge, "POST", pathOf("/slipway/trash/restore", { project })),
    /** For good. */
    remove: (id: string) => request(bridge, "DELETE", `/slipway/trash/${id}`),
    empty: () => request<TrashEmptied>(bridge, "DELETE", "/slipway/trash"),
  };
}
