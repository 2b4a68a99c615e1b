import type { Bridge, BridgeStream } from "#bridge/bridge.ts";
import type { FileList } from "#api/files.ts";
import type { Volume, VolumeCreateRequest, VolumeSnapshot } from "#api/volumes.ts";
import { openStream, pathOf, request } from "./request.ts";

const windowBytes = 1024 * 1024;

/** Docker's calls, and below /slipway this engine's own: the files of volumes without a container around them. */
export function volumeCalls(bridge: Bridge) {
  const id = encodeURIComponent;
  const own = (name: string, what: string): string => `/slipway/volumes/${id(name)}/${what}`;
  return {
    list: () => request<{ Volumes: Volume[] | null; Warnings: string[] | null }>(bridge, "GET", "/volumes"),
    inspect: (name: string) => request<Volume>(bridge, "GET", `/volumes/${id(name)}`),
    create: (body: VolumeCreateRequest) => request<Volume>(bridge, "POST", "/volumes/create", body),
    remove: (name: string) => request(bridge, "DELETE", `/volumes/${id(name)}`),
    size: async (name: string) => (await request<{ Size: number }>(bridge, "GET", own(name, "size"))).Size,
    files: (name: string, path: string) => request<FileList>(bridge, "GET", pathOf(own(name, "files"), { path })),
    /** A tar of one path, or of everything. */
    read: (name: string, path: string, signal: AbortSignal) =>
      openStream(bridge, { kind: "download", windowBytes, request: { method: "GET", path: pathOf(own(name, "archive"), { path }) } }, signal),
    export: (name: string, signal: AbortSignal) =>
      openStream(bridge, { kind: "download", windowBytes, request: { method: "GET", path: own(name, "export") } }, signal),
    /** The caller writes a tar that is unpacked in the directory `path`, then ends the stream. */
    write: (name: string, path = "/"): BridgeStream =>
      bridge.stream({
        kind: "upload",
        windowBytes,
        request: { method: "POST", path: pathOf(own(name, "import"), { path }), headers: { "Content-Type": "application/x-tar" } },
      }),
    empty: (name: string) => request(bridge, "POST", own(name, "empty")),
    fork: (name: string, to: string, snapshot: string) => request<Volume>(bridge, "POST", own(name, "fork"), { Name: to, Snapshot: snapshot }),
    snapshots: async (name: string) => (await request<{ Snapshots: VolumeSnapshot[] }>(bridge, "GET", own(name, "snapshots"))).Snapshots,
    snapshot: (name: string, as: string) => request<VolumeSnapshot>(bridge, "POST", own(name, "snapshots"), { Name: as }),
    removeSnapshot: (name: string, snapshot: string) => request(bridge, "DELETE", own(name, `snapshots/${id(snapshot)}`)),
  };
}
