import type { Bridge, BridgeStream } from "#bridge/bridge.ts";
import type { BuildDetails, BuildMessage, BuildOptions, BuildSummary } from "#api/builds.ts";
import type { ContainerCreateRequest, ContainerInspect, ContainerSummary, RestartPolicy } from "#api/containers.ts";
import type { ContainerStats } from "#api/stats.ts";
import type { EventMessage } from "#api/events.ts";
import type { FileList } from "#api/files.ts";
import type { ImageFileList, ImageLayers } from "#api/image-files.ts";
import type { ImageHistoryItem, ImageInspect, ImageSummary, PullProgress } from "#api/images.ts";
import type { LogSearchLine } from "#api/log-search.ts";
import type { NetworkCreateRequest, NetworkInspect } from "#api/networks.ts";
import type { BuildWhy, PullWhy, Why } from "#api/why.ts";
import type { DiskUsage, UseKind } from "#renderer/core/diskuse.ts";
import { composeCalls } from "./compose.ts";
import { jsonLines } from "./lines.ts";
import { openStream, pathOf, type Query, request } from "./request.ts";
import { trashCalls } from "./trash.ts";
import { volumeCalls } from "./volumes.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** What the window reads of `GET /info`. */
export interface EngineInfo {
  readonly ServerVersion: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Warnings: readonly string[] | null;
  readonly OperatingSystem: string;
  readonly KernelVersion: string;
}

/** What `docker update` changes of a container that runs on. */
export interface UpdateLimits {
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly NanoCpus?: number;
  readonly PidsLimit?: number;
  readonly RestartPolicy?: RestartPolicy;
}
export interface ProcessTable {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}
export interface FileChange {
  readonly Path: string;
  /** 0 changed, 1 added, 2 deleted. */
  readonly Kind: 0 | 1 | 2;
}
/** What a prune answers. */
export interface Pruned {
  readonly SpaceReclaimed?: number;
}

const prunes: Readonly<Record<UseKind, string>> = {
  containers: "/containers/prune",
  images: pathOf("/images/prune", { filters: '{"dangling":["false"]}' }),
  volumes: pathOf("/volumes/prune", { filters: '{"all":["true"]}' }),
  cache: pathOf("/build/prune", { all: true }),
};

/** The Engine API as the window uses it: every act here is one request a `docker` user could make. */
export type Engine = ReturnType<typeof createEngine>;

export function createEngine(bridge: Bridge) {
  const id = encodeURIComponent;
  // Image names keep their slashes and colons: the engine matches them as one trailing path.
  const ref = (name: string): string => name.split("/").map(encodeURIComponent).join("/").replaceAll("%3A", ":").replaceAll("%40", "@");
  return {
    info: () => request<EngineInfo>(bridge, "GET", "/info"),

    containers: {
      list: () => request<ContainerSummary[]>(bridge, "GET", pathOf("/containers/json", { all: true })),
      inspect: (name: string) => request<ContainerInspect>(bridge, "GET", `/containers/${id(name)}/json`),
      create: (name: string, body: ContainerCreateRequest) =>
        request<{ Id: string; Warnings: string[] | null }>(bridge, "POST", pathOf("/containers/create", { name: name || undefined }), body),
      start: (name: string) => request(bridge, "POST", `/containers/${id(name)}/start`),
      stop: (name: string) => request(bridge, "POST", `/containers/${id(name)}/stop`),
      restart: (name: string) => request(bridge, "POST", `/containers/${id(name)}/restart`),
      kill: (name: string, signal: string) => request(bridge, "POST", pathOf(`/containers/${id(name)}/kill`, { signal })),
      pause: (name: string) => request(bridge, "POST", `/containers/${id(name)}/pause`),
      unpause: (name: string) => request(bridge, "POST", `/containers/${id(name)}/unpause`),
      rename: (name: string, to: string) => request(bridge, "POST", pathOf(`/containers/${id(name)}/rename`, { name: to })),
      update: (name: string, limits: UpdateLimits) => request<{ Warnings: string[] | null }>(bridge, "POST", `/containers/${id(name)}/update`, limits),
      commit: (name: string, repo: string, tag: string) =>
        request<{ Id: string }>(bridge, "POST", pathOf("/commit", { container: name, repo: repo || undefined, tag: tag || undefined })),
      /** Why it ended, does not start or is not well; of this engine's own. */
      why: (name: string) => request<Why>(bridge, "GET", `/slipway/containers/${id(name)}/why`),
      top: (name: string) =>
        request<ProcessTable>(bridge, "GET", pathOf(`/containers/${id(name)}/top`, { ps_args: "-eo pid,ppid,user,stat,pcpu,pmem,time,args" })),
      changes: (name: string) => request<FileChange[] | null>(bridge, "GET", `/containers/${id(name)}/changes`),
      /** What is in a directory; of this engine's own, Docker's API has no such call. */
      files: (name: string, path: string) => request<FileList>(bridge, "GET", pathOf(`/slipway/containers/${id(name)}/files`, { path })),
      /** A tar of one path. */
      read: (name: string, path: string, signal: AbortSignal) =>
        openStream(
          bridge,
          { kind: "download", windowBytes: MiB, request: { method: "GET", path: pathOf(`/containers/${id(name)}/archive`, { path }) } },
          signal,
        ),
      export: (name: string, signal: AbortSignal) =>
        openStream(bridge, { kind: "download", windowBytes: MiB, request: { method: "GET", path: `/containers/${id(name)}/export` } }, signal),
      /** The caller writes a tar that is unpacked in the directory `path`, then ends the stream. */
      write: (name: string, path: string): BridgeStream =>
        bridge.stream({
          kind: "upload",
          windowBytes: MiB,
          request: { method: "PUT", path: pathOf(`/containers/${id(name)}/archive`, { path }), headers: { "Content-Type": "application/x-tar" } },
        }),
      remove: (name: string, force: boolean, v = true) => request(bridge, "DELETE", pathOf(`/containers/${id(name)}`, { force, v })),
      /** Raw log bytes: stdcopy frames, or plain bytes with a TTY; a time stamp before each line. */
      logs: (name: string, options: { since?: string; tail?: number }, signal: AbortSignal) =>
        openStream(
          bridge,
          {
            kind: "download",
            windowBytes: MiB,
            request: {
              method: "GET",
              path: pathOf(`/containers/${id(name)}/logs`, { follow: true, stdout: true, stderr: true, timestamps: true, ...options }),
            },
          },
          signal,
        ),
      stats: (name: string, signal: AbortSignal) =>
        streamOf<ContainerStats>({ method: "GET", path: pathOf(`/containers/${id(name)}/stats`, { stream: true }) }, signal),
    },

    exec: {
      create: (container: string, command: readonly string[]) =>
        request<{ Id: string }>(bridge, "POST", `/containers/${id(container)}/exec`, {
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          Tty: true,
          Env: ["TERM=xterm-256color"],
          Cmd: command,
        }),
      start: (exec: string, size: { rows: number; columns: number }, signal: AbortSignal): Promise<BridgeStream> =>
        openStream(
          bridge,
          {
            kind: "upgrade",
            windowBytes: 64 * KiB,
            request: { method: "POST", path: `/exec/${id(exec)}/start`, body: { Detach: false, Tty: true, ConsoleSize: [size.rows, size.columns] } },
          },
          signal,
        ),
      resize: (exec: string, size: { rows: number; columns: number }) =>
        request(bridge, "POST", pathOf(`/exec/${id(exec)}/resize`, { h: size.rows, w: size.columns })),
      inspect: (exec: string) => request<{ Running: boolean; ExitCode: number | null }>(bridge, "GET", `/exec/${id(exec)}/json`),
    },

    images: {
      list: () => request<ImageSummary[]>(bridge, "GET", "/images/json"),
      inspect: (name: string) => request<ImageInspect>(bridge, "GET", `/images/${ref(name)}/json`),
      /** Why the last pull of that name failed; of this engine's own. */
      why: (name: string) => request<PullWhy>(bridge, "GET", `/slipway/images/${ref(name)}/why`),
      remove: (name: string, force: boolean) => request<unknown>(bridge, "DELETE", pathOf(`/images/${ref(name)}`, { force })),
      /** Of this engine's own, as the two below. */
      layers: (name: string) => request<ImageLayers>(bridge, "GET", `/slipway/images/${ref(name)}/layers`),
      /** A directory of the image, or of one layer alone, counted from 0, the lowest. */
      files: (name: string, path: string, layer: number | undefined) =>
        request<ImageFileList>(bridge, "GET", pathOf(`/slipway/images/${ref(name)}/files`, { path, layer })),
      file: (name: string, path: string, layer: number | undefined, signal: AbortSignal) =>
        openStream(
          bridge,
          { kind: "download", windowBytes: MiB, request: { method: "GET", path: pathOf(`/slipway/images/${ref(name)}/file`, { path, layer }) } },
          signal,
        ),
      history: (name: string) => request<ImageHistoryItem[]>(bridge, "GET", `/images/${ref(name)}/history`),
      tag: (name: string, repo: string, tag: string) => request(bridge, "POST", pathOf(`/images/${ref(name)}/tag`, { repo, tag })),
      save: (name: string, signal: AbortSignal) =>
        openStream(bridge, { kind: "download", windowBytes: MiB, request: { method: "GET", path: `/images/${ref(name)}/get` } }, signal),
      pull: (image: string, signal: AbortSignal) => streamOf<PullProgress>({ method: "POST", path: pathOf("/images/create", splitReference(image)) }, signal),
      /** The caller writes the tar, then ends the stream; progress lines come back as JSON. */
      load: (signal: AbortSignal) => {
        signal.throwIfAborted();
        const stream = bridge.stream({
          kind: "upload",
          windowBytes: MiB,
          request: { method: "POST", path: "/images/load", headers: { "Content-Type": "application/x-tar" } },
        });
        signal.addEventListener("abort", () => stream.close(), { once: true });
        return stream;
      },
    },

    /** Of this engine's own: Docker tells of builds by BuildKit's gRPC alone. */
    builds: {
      list: () => request<BuildSummary[]>(bridge, "GET", "/slipway/builds"),
      read: (name: string) => request<BuildDetails>(bridge, "GET", `/slipway/builds/${id(name)}`),
      why: (name: string) => request<BuildWhy>(bridge, "GET", `/slipway/builds/${id(name)}/why`),
      remove: (name: string) => request(bridge, "DELETE", `/slipway/builds/${id(name)}`),
      /** A line whenever a build begins, ends or is forgotten; `opened` runs once none is missed. */
      changes: (signal: AbortSignal, opened: () => void) => streamOf<{ ref: string }>({ method: "GET", path: "/slipway/builds/changes" }, signal, opened),
      /** The host core sends the folder. */
      start: (options: BuildOptions, signal: AbortSignal): AsyncGenerator<BuildMessage, void> => startBuild(bridge, options, signal),
    },

    volumes: volumeCalls(bridge),
    trash: trashCalls(bridge),
    compose: composeCalls(bridge),

    networks: {
      list: () => request<NetworkInspect[]>(bridge, "GET", "/networks"),
      inspect: (name: string) => request<NetworkInspect>(bridge, "GET", `/networks/${id(name)}`),
      create: (body: NetworkCreateRequest) => request<{ Id: string }>(bridge, "POST", "/networks/create", body),
      remove: (name: string) => request(bridge, "DELETE", `/networks/${id(name)}`),
      connect: (name: string, container: string) => request(bridge, "POST", `/networks/${id(name)}/connect`, { Container: container }),
      disconnect: (name: string, container: string) => request(bridge, "POST", `/networks/${id(name)}/disconnect`, { Container: container }),
    },

    /** What takes room on the disk, as `docker system df -v`; of one kind of things, or of all. */
    usage: (type?: "volume") => request<DiskUsage>(bridge, "GET", pathOf("/system/df", { type })),

    /** Deletes all of a kind that nothing uses: `docker container|image -a|volume -a|builder -a prune`. */
    prune: (kind: UseKind) => request<Pruned>(bridge, "POST", prunes[kind]),

    /** Through the output of everything that ever ran; of this engine's own. */
    searchLogs: (query: Query, signal: AbortSignal) => streamOf<LogSearchLine>({ method: "GET", path: pathOf("/slipway/logs/search", query) }, signal),

    /** The same search, going on with what is written from now on; bytes as they come. */
    followLogs: (query: Query, signal: AbortSignal) =>
      openStream(
        bridge,
        { kind: "download", windowBytes: MiB, request: { method: "GET", path: pathOf("/slipway/logs/search", { ...query, follow: true }) } },
        signal,
      ),

    /** Events of one object that were kept, oldest first, then those to come. */
    eventsOf: (container: string, signal: AbortSignal) =>
      streamOf<EventMessage>({ method: "GET", path: pathOf("/events", { since: "1", filters: JSON.stringify({ container: [container] }) }) }, signal),

    /** `opened` runs once the engine has accepted: from then on no event is missed. */
    events: (signal: AbortSignal, opened: () => void) => streamOf<EventMessage>({ method: "GET", path: "/events" }, signal, opened),
  };

  /** The lines of a streaming JSON answer. */
  async function* streamOf<T>(request: { method: "GET" | "POST"; path: string }, signal: AbortSignal, opened?: () => void): AsyncGenerator<T, void> {
    const stream = await openStream(bridge, { kind: "download", windowBytes: 256 * KiB, request }, signal);
    try {
      opened?.();
      yield* jsonLines<T>(stream.bytes);
    } finally {
      stream.close();
    }
  }
}

/** `repo:tag` or `repo@digest` as `POST /images/create` wants it; no tag means `latest`, never all tags. */
export function splitReference(image: string): { fromImage: string; tag: string } {
  const at = image.indexOf("@");
  if (at > 0) return { fromImage: image.slice(0, at), tag: image.slice(at + 1) };
  const colon = image.lastIndexOf(":");
  if (colon > image.lastIndexOf("/")) return { fromImage: image.slice(0, colon), tag: image.slice(colon + 1) };
  return { fromImage: image, tag: "latest" };
}

async function* startBuild(bridge: Bridge, options: BuildOptions, signal: AbortSignal): AsyncGenerator<BuildMessage, void> {
  const { folder, dockerfile, target, platform, tags, args, noCache, pull } = options;
  const buildargs = Object.keys(args).length === 0 ? undefined : JSON.stringify(args);
  const query = pathOf("/slipway/builds", {
    folder,
    dockerfile,
    target: target || undefined,
    platform: platform || undefined,
    buildargs,
    nocache: noCache,
    pull,
  });
  const path = [query, ...tags.map((tag) => `t=${encodeURIComponent(tag)}`)].join("&");
  const request = { method: "POST", path, headers: { "Content-Type": "application/x-tar" } } as const;
  const stream = await openStream(bridge, { kind: "upload", windowBytes: 256 * KiB, request, context: { folder, dockerfile } }, signal);
  try {
    yield* jsonLines<BuildMessage>(stream.bytes);
  } finally {
    stream.close();
  }
}
