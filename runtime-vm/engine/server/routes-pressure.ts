import type { ContainerManager } from "#core/containers/containers.ts";
import type { PressureRecorder } from "#core/pressure/recorder.ts";
import { type Route, route } from "./router.ts";

/** Beyond Docker's API: what the machine and each container had to wait for in the last day, `GET /slipway/pressure` and `/slipway/containers/{id}/pressure`. */
export const pressureRoutes = (pressure: Pick<PressureRecorder, "machine" | "container">, containers: Pick<ContainerManager, "idOf">): readonly Route[] => [
  route("GET", "/slipway/pressure", async () => ({ status: 200, json: await pressure.machine() })),
  route("GET", "/slipway/containers/{id...}/pressure", async ({ params }) => ({ status: 200, json: await pressure.container(containers.idOf(params.id)) })),
];
