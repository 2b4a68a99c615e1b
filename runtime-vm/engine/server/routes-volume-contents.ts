import { string, struct } from "#api/decode.ts";
import type { VolumeContents } from "#core/volumes/contents.ts";
import { plain } from "./compressed.ts";
import { type Route, route } from "./router.ts";

const forkShape = struct("slipway.VolumeFork", { Name: string, Snapshot: string });
const snapshotShape = struct("slipway.VolumeSnapshot", { Name: string });

/** Beyond Docker's API: the files of volumes without a container around them. */
export const volumeContentsRoutes = (contents: VolumeContents): readonly Route[] => [
  route("GET", "/slipway/volumes/{name}/files", async ({ params, query }) => ({
    status: 200,
    json: await contents.list(params.name, query.get("path") || "/"),
  })),
  route("GET", "/slipway/volumes/{name}/archive", ({ params, query }) => ({
    status: 200,
    headers: { "Content-Type": "application/x-tar" },
    stream: contents.archive(params.name, query.get("path") || "/"),
  })),
  route("POST", "/slipway/volumes/{name}/empty", async ({ params }) => {
    await contents.empty(params.name);
    return { status: 204 };
  }),
  route("GET", "/slipway/volumes/{name}/size", async ({ params }) => ({ status: 200, json: { Size: await contents.size(params.name) } })),
  route("GET", "/slipway/volumes/{name}/export", ({ params }) => ({
    status: 200,
    headers: { "Content-Type": "application/x-tar" },
    stream: contents.export(params.name),
  })),
  route("POST", "/slipway/volumes/{name}/import", async ({ params, query, headers, body }) => ({
    status: 201,
    json: await contents.import(params.name, await plain(body, headers["content-encoding"]), query.get("path") || "/"),
  })),
  route("POST", "/slipway/volumes/{name}/fork", async ({ params, json }) => {
    const { Name = "", Snapshot = "" } = ((await json(forkShape)) ?? {}) as { Name?: string; Snapshot?: string };
    return { status: 201, json: await contents.fork(params.name, Name, Snapshot) };
  }),
  route("GET", "/slipway/volumes/{name}/snapshots", async ({ params }) => ({ status: 200, json: { Snapshots: await contents.snapshots(params.name) } })),
  route("POST", "/slipway/volumes/{name}/snapshots", async ({ params, json }) => {
    const { Name = "" } = ((await json(snapshotShape)) ?? {}) as { Name?: string };
    return { status: 201, json: await contents.snapshot(params.name, Name) };
  }),
  route("DELETE", "/slipway/volumes/{name}/snapshots/{snapshot}", async ({ params }) => {
    await contents.removeSnapshot(params.name, params.snapshot);
    return { status: 204 };
  }),
];
