import type { Bin } from "#core/bin/bin.ts";
import { type Route, route } from "./router.ts";

/** Beyond Docker's API: what was removed and can be brought back. Something is named by its id, the beginning of it, or its name; a Compose project by its name. */
export const trashRoutes = (bin: Pick<Bin, "list" | "restore" | "restoreProject" | "discard" | "empty">): readonly Route[] => [
  route("GET", "/slipway/trash", async () => ({ status: 200, json: await bin.list() })),
  route("POST", "/slipway/trash/{id...}/restore", async ({ params }) => ({ status: 200, json: await bin.restore(params.id) })),
  route("POST", "/slipway/trash/restore", async ({ query }) => ({ status: 200, json: await bin.restoreProject(query.get("project")) })),
  route("DELETE", "/slipway/trash", async () => ({ status: 200, json: await bin.empty() })),
  route("DELETE", "/slipway/trash/{id...}", async ({ params }) => {
    await bin.discard(params.id);
    return { status: 204 };
  }),
];
