import type { ContainerManager } from "#core/containers/containers.ts";
import { type Route, route } from "./router.ts";

/** Beyond Docker's API: `GET /slipway/containers/{id}/why`, the one verdict on a container that ended or is not well. */
export const whyRoutes = (containers: Pick<ContainerManager, "why">): readonly Route[] => [
  route("GET", "/slipway/containers/{id...}/why", async ({ params }) => ({ status: 200, json: await containers.why(params.id) })),
];
