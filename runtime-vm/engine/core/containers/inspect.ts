import { statSync } from "node:fs";
import type { ContainerInspect, ContainerState, HealthState, HostConfig, NetworkSettings } from "#api/containers.ts";
import { zeroTime } from "../clock/clock.ts";
import { mergedUlimits } from "../config/ulimits.ts";
import { commandOf } from "../specs/merge.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import { containerJoined } from "./endpoints.ts";
import { shownLinks } from "./links.ts";
import { mountPoint } from "./mounts.ts";
import { containerFiles } from "./start.ts";
import { networksOf } from "./summary.ts";

/** The answer of `GET /containers/{id}/json`. */
export async function inspectContainer(
  backends: ContainerBackends,
  catalog: Catalog,
  container: Container,
  opts: { size: boolean; execIds: readonly string[] },
): Promise<ContainerInspect> {
  const { spec } = container;
  const [Path = "", ...Args] = commandOf(spec.config);
  const started = wasStarted(container);
  const files = started ? containerFiles(backends, container) : { resolvConf: "", hostname: "", hosts: "" };
  const size = opts.size ? await sizeOf(backends, container) : undefined;
  const log = await container.log?.catch(() => undefined);
  return {
    Id: container.id,
    Created: spec.createdAt,
    Path,
    Args,
    State: stateOf(container),
    Image: spec.image.id,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: (started ? log?.path : undefined) ?? "",
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: "overlayfs",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: backends.specs.apparmorProfile(spec.hostConfig, started),
    ExecIDs: opts.execIds.length === 0 ? null : [...opts.execIds],
    HostConfig: { ...spec.hostConfig, ...asSeen(catalog, container), Ulimits: mergedUlimits(spec.hostConfig.Ulimits, backends.config.ulimits) },
    GraphDriver: { Data: null, Name: "overlayfs" },
    ...(size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.rootFs }),
    Mounts: spec.mounts.map(mountPoint),
    Config: { ...spec.config, ...wishedAddress(container) },
    NetworkSettings: networkSettings(container),
    ...(spec.image.manifest === undefined ? {} : { ImageManifestDescriptor: spec.image.manifest }),
  };
}

/** Whether anything of a run was ever made for it, if only a failed one. */
const wasStarted = ({ state }: Container): boolean => state.kind !== "created" || state.error !== "";

/** dockerd shows the default of an OOM switch that no v2 kernel has, until it looks again at the first start. */
function asSeen(catalog: Catalog, container: Container): Pick<HostConfig, "Links" | "OomKillDisable"> {
  return { Links: shownLinks(catalog, container), OomKillDisable: wasStarted(container) ? null : false };
}

/** The hardware address asked for of the network it starts in, wherever the request said it. */
function wishedAddress({ spec }: Container): { MacAddress?: string } {
  const wished = spec.endpoints[spec.hostConfig.NetworkMode ?? ""]?.MacAddress ?? "";
  return wished === "" ? {} : { MacAddress: wished };
}

function stateOf(container: Container): ContainerState {
  const { state } = container;
  const health = healthOf(container);
  const base = {
    Status: container.status,
    Running: container.isRunning,
    Paused: state.kind === "running" && state.paused,
    Restarting: state.kind === "restarting",
    OOMKilled: false,
    Dead: false,
    Pid: container.run?.task.pid ?? 0,
    ExitCode: 0,
    Error: "",
    StartedAt: zeroTime,
    FinishedAt: zeroTime,
    ...(health === undefined ? {} : { Health: health }),
  };
  switch (state.kind) {
    case "created":
      return { ...base, ExitCode: state.exitCode, Error: state.error };
    case "running":
      return { ...base, StartedAt: state.run.startedAt, FinishedAt: container.finishedBefore ?? zeroTime };
    case "restarting":
    case "exited": {
      const { exitCode, error, oomKilled, startedAt, finishedAt } = state.last;
      return { ...base, ExitCode: exitCode, Error: error, OOMKilled: oomKilled, StartedAt: startedAt, FinishedAt: finishedAt };
    }
  }
}

/** Undefined: it has no check, or never ran. */
export function healthOf(container: Container): HealthState | undefined {
  if (container.run?.health !== undefined) return container.run.health.state;
  const kind = container.spec.config.Healthcheck?.Test?.[0];
  if (kind === undefined || kind === "NONE" || container.state.kind === "created") return undefined;
  return container.lastHealth ?? { Status: "starting", FailingStreak: 0, Log: [] };
}

function networkSettings(container: Container): NetworkSettings {
  const networks = networksOf(container);
  // The old top-level fields show the default bridge's endpoint and no other.
  const bridge = networks["bridge"];
  const sandbox = container.run?.sandbox;
  // In the network of another nothing is its own.
  const joined = containerJoined(container.spec.hostConfig.NetworkMode ?? "") !== undefined;
  return {
    Bridge: "",
    SandboxID: sandbox === undefined || joined ? "" : container.id,
    SandboxKey: joined ? "" : (sandbox?.netns ?? ""),
    Ports: sandbox?.ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: networks,
  };
}

/** Space taken by what was written, its directory included, and by image and writing together. */
export async function sizeOf(backends: ContainerBackends, container: Container): Promise<{ rw: number; rootFs: number }> {
  const { layers } = backends;
  const rw = await writtenBytes(backends, container.id);
  const image = container.spec.image.layers.reduce((sum, layer) => sum + layers.unpackedSize(layer), 0);
  return { rw, rootFs: rw + image };
}

export const writtenBytes = async ({ snapshots }: Pick<ContainerBackends, "snapshots">, id: string): Promise<number> =>
  (await snapshots.usage(id)) + statSync(snapshots.upperDir(id)).blocks * 512;

/** The reference the container was made with, or its image's id once that reference names another image or none. */
export async function imageNow({ images }: ContainerBackends, container: Container): Promise<string> {
  const { config, image } = container.spec;
  try {
    return (await images.resolve(config.Image)).id === image.id ? config.Image : image.id;
  } catch {
    return image.id;
  }
}
