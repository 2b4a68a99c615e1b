import type { ImageStore } from "#core/images/images.ts";
import { type Route, route } from "./router.ts";

/** The image store itself, beyond what Docker's API tells of it. */
export const storeRoutes = (images: Pick<ImageStore, "check">): readonly Route[] => [
  route("GET", "/slipway/check", async ({ signal }) => ({ status: 200, json: await images.check({ signal }) })),
];
