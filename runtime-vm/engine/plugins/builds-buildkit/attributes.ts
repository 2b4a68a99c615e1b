import type { HostConfig } from "#api/containers.ts";
import { parsePlatform, type Platform } from "#core/images/platform.ts";

/** What the Dockerfile frontend is told (moby's frontend/dockerfile/dockerui): `--build-arg`, `--target` and the like under names of its own. */
export interface Attributes {
  readonly filename: string;
  readonly target: string;
  readonly args: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ignoresCache: (stage: string) => boolean;
  readonly pull: boolean;
  /** Empty: the engine's own. */
  readonly platforms: readonly Platform[];
  readonly hostConfig: HostConfig;
  /** An address instead of the client's directory. */
  readonly context: string;
  readonly contextName: string;
  readonly dockerfileName: string;
  /** `--build-context`. */
  readonly contexts: ReadonlyMap<string, string>;
  readonly epoch: number | undefined;
  /** Of a context that is a repository. */
  readonly keepGitDir: boolean;
}

export function readAttributes(attributes: ReadonlyMap<string, string>, host: Platform): Attributes {
  const get = (name: string): string => attributes.get(name) ?? "";
  const below = (prefix: string): [string, string][] =>
    [...attributes].flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value] as [string, string]] : []));
  const args = new Map(below("build-arg:"));
  const epoch = args.get("SOURCE_DATE_EPOCH") ?? "";
  return {
    filename: get("filename") || "Dockerfile",
    target: get("target"),
    args,
    labels: Object.fromEntries(below("label:")),
    ignoresCache: cacheFilter(attributes.get("no-cache")),
    pull: get("image-resolve-mode") === "pull",
    platforms: fields(get("platform")).map((platform) => parsePlatform(platform, host)),
    hostConfig: hostConfigOf(get),
    context: get("context"),
    contextName: get("contextkey") || "context",
    dockerfileName: get("dockerfilekey") || "dockerfile",
    contexts: new Map(below("context:")),
    keepGitDir: ["1", "true"].includes((args.get("BUILDKIT_CONTEXT_KEEP_GIT_DIR") ?? "").toLowerCase()),
    epoch: /^\d+$/.test(epoch) ? Number(epoch) : undefined,
  };
}

/** Given without a value: nothing of the cache is used; else the names of the stages that do not. */
function cacheFilter(value: string | undefined): (stage: string) => boolean {
  if (value === undefined) return () => false;
  const stages = new Set(value.split(",").map((name) => name.trim().toLowerCase()));
  return (stage) => value === "" || stages.has(stage);
}

function hostConfigOf(get: (name: string) => string): HostConfig {
  const network = get("force-network-mode");
  const hosts = fields(get("add-hosts")).map((host) => host.replace("=", ":"));
  const shmSize = Number(get("shm-size"));
  const ulimits = fields(get("ulimit")).flatMap(ulimitOf);
  return {
    ...(network === "" || network === "default" ? {} : { NetworkMode: network }),
    ...(hosts.length === 0 ? {} : { ExtraHosts: hosts }),
    ...(shmSize > 0 ? { ShmSize: shmSize } : {}),
    ...(ulimits.length === 0 ? {} : { Ulimits: ulimits }),
    ...(get("cgroup-parent") === "" ? {} : { CgroupParent: get("cgroup-parent") }),
  };
}

const fields = (text: string): string[] => text.split(",").filter((field) => field !== "");

/** `nofile=1024:2048`. */
function ulimitOf(text: string): { Name: string; Soft: number; Hard: number }[] {
  const [, name = "", soft = "", hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  return name === "" ? [] : [{ Name: name, Soft: Number(soft), Hard: Number(hard) }];
}
