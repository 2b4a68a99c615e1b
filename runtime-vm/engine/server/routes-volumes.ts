import { any, map, type Shape, string, struct } from "#api/decode.ts";
import { has } from "#api/versions.ts";
import type { VolumeCreateRequest } from "#api/volumes.ts";
import { EngineError } from "#base/errors.ts";
import type { VolumeStore } from "#core/volumes/volumes.ts";
import { type Route, route } from "./router.ts";

/** Body of `POST /volumes/create`. */
const createVolumeShape: Shape = struct("volume.CreateOptions", {
  Name: string,
  Driver: string,
  DriverOpts: map(string),
  Labels: map(string),
  ClusterVolumeSpec: any,
});

export const volumeRoutes = (volumes: VolumeStore): readonly Route[] => [
  route("GET", "/volumes", ({ query }) => ({ status: 200, json: { Volumes: volumes.list(query.filters()), Warnings: null } })),
  route("POST", "/volumes/create", async ({ json }) => {
    const body = (await json(createVolumeShape)) as (VolumeCreateRequest & { ClusterVolumeSpec?: unknown }) | undefined;
    if (body?.ClusterVolumeSpec !== undefined)
      throw new EngineError(
        "unavailable",
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
    return { status: 201, json: await volumes.create(body ?? {}) };
  }),
  route("POST", "/volumes/prune", async ({ query, version }) => ({
    status: 200,
    json: await volumes.prune(query.filters(), { all: !has(version, "pruneSparesNamedVolumes") }),
  })),
  route("GET", "/volumes/{name}", ({ params }) => ({ status: 200, json: volumes.inspect(params.name) })),
  route("PUT", "/volumes/{name}", () => {
    throw new EngineError("unavailable", "volume update only valid for cluster volumes, but swarm is unavailable");
  }),
  route("DELETE", "/volumes/{name}", async ({ params, query }) => {
    await volumes.remove(params.name, { force: query.bool("force") });
    return { status: 204 };
  }),
];
