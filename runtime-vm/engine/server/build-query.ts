import type { Readable } from "node:stream";
import type { HostConfig } from "#api/containers.ts";
import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { ClassicOptions } from "#core/builds/classic.ts";
import type { PostedBuild } from "#core/builds/posted.ts";
import { parsePlatform } from "#core/images/platform.ts";
import type { Query } from "./query.ts";

/** Which of the two builders `POST /build` asks for. */
export function isBuildKit(query: Query, experimental: boolean): boolean {
  const version = query.get("version");
  if (query.bool("squash") && !experimental) throw new EngineError("invalidArgument", "squash is only supported with experimental mode");
  if (!["", "1", "2"].includes(version)) throw new EngineError("invalidArgument", `invalid version ${JSON.stringify(version)}`);
  return version === "2";
}

/** The classic builder's parameters. */
export function classicOptions(builds: Builds, query: Query, auth: ClassicOptions["auth"]): ClassicOptions {
  const platform = query.get("platform");
  return {
    dockerfile: query.get("dockerfile"),
    names: namesFrom(query),
    target: query.get("target"),
    args: argsFrom(query),
    labels: (jsonParameter(query, "labels") ?? {}) as Record<string, string>,
    pull: query.bool("pull"),
    noCache: query.bool("nocache"),
    quiet: query.bool("q"),
    removes: query.get("rm") === "" || query.bool("rm"),
    squash: query.bool("squash"),
    cacheFrom: cacheFromOf(query),
    platform: platform === "" ? undefined : parsePlatform(platform, builds.backends.host),
    hostConfig: hostConfigFrom(query),
    auth,
  };
}

/** BuildKit's: they become attributes of its frontend. */
export function postedBuild(query: Query, { body, signal }: { body: Readable; signal: AbortSignal }): PostedBuild {
  const { entries, entitlements } = networkAttributes(query.get("networkmode"));
  const args = argsFrom(query);
  const labels = (jsonParameter(query, "labels") ?? {}) as Record<string, string>;
  const ulimits = (jsonParameter(query, "ulimits") ?? []) as NonNullable<HostConfig["Ulimits"]>;
  const outputs = (jsonParameter(query, "outputs") ?? []) as { Type: string; Attrs?: Record<string, string> | null }[];
  const given: Readonly<Record<string, string>> = {
    target: query.get("target"),
    filename: query.get("dockerfile"),
    platform: query.get("platform"),
    "add-hosts": query.get("extrahosts"),
    "cgroup-parent": query.get("cgroupparent"),
    "shm-size": query.int("shmsize", 0) > 0 ? query.get("shmsize") : "",
    ulimit: ulimits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`).join(","),
  };
  const attributes = new Map([
    ...Object.entries(given).filter(([, value]) => value !== ""),
    ...entries,
    ...[...args].map(([name, value]) => [`build-arg:${name}`, value] as const),
    ...Object.entries(labels).map(([name, value]) => [`label:${name}`, value] as const),
    ...(query.bool("nocache") ? [["no-cache", ""] as const] : []),
    ["image-resolve-mode", query.bool("pull") ? "pull" : "default"] as const,
  ]);
  return {
    id: query.get("buildid"),
    session: query.get("session"),
    remote: query.get("remote"),
    attributes,
    outputs: outputs.map(({ Type, Attrs }) => ({ type: Type, attributes: new Map(Object.entries(Attrs ?? {})) })),
    names: namesFrom(query),
    cacheFrom: cacheFromOf(query),
    inlineCache: /^(1|t|true)$/i.test(args.get("BUILDKIT_INLINE_CACHE") ?? ""),
    entitlements,
    quiet: query.bool("q"),
    squash: query.bool("squash"),
    body,
    signal,
  };
}

function networkAttributes(mode: string): { entries: readonly (readonly [string, string])[]; entitlements: readonly string[] } {
  if (mode === "" || mode === "default") return { entries: [], entitlements: [] };
  if (mode !== "host" && mode !== "none") throw new EngineError("invalidArgument", `network mode ${JSON.stringify(mode)} not supported by buildkit`);
  return { entries: [["force-network-mode", mode]], entitlements: mode === "host" ? ["network.host"] : [] };
}

const cacheFromOf = (query: Query): string[] => (jsonParameter(query, "cachefrom") ?? []) as string[];

/** Of `t`, each once. */
const namesFrom = (query: Query): string[] => [
  ...new Set(
    query
      .all("t")
      .filter((name) => name !== "")
      .map(nameFrom),
  ),
];

function nameFrom(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new EngineError("invalidArgument", "build tag cannot contain a digest");
  return normalizedName(withDefaultTag(reference));
}

/** A name without a value is one that the client's environment did not have. */
function argsFrom(query: Query): Map<string, string> {
  const given = (jsonParameter(query, "buildargs") ?? {}) as Record<string, string | null>;
  return new Map(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}

function hostConfigFrom(query: Query): HostConfig {
  const ulimits = jsonParameter(query, "ulimits") as HostConfig["Ulimits"];
  const hosts = query.get("extrahosts");
  const network = query.get("networkmode");
  const security = query.all("securityopt").filter((option) => option !== "");
  return {
    Memory: query.int("memory", 0),
    MemorySwap: query.int("memswap", 0),
    CpuShares: query.int("cpushares", 0),
    CpuPeriod: query.int("cpuperiod", 0),
    CpuQuota: query.int("cpuquota", 0),
    CpusetCpus: query.get("cpusetcpus"),
    CpusetMems: query.get("cpusetmems"),
    CgroupParent: query.get("cgroupparent"),
    ...(query.int("shmsize", 0) > 0 ? { ShmSize: query.int("shmsize", 0) } : {}),
    ...(ulimits === undefined || ulimits === null ? {} : { Ulimits: ulimits }),
    ...(network === "" ? {} : { NetworkMode: network }),
    ...(hosts === "" ? {} : { ExtraHosts: hosts.split(",").filter((host) => host !== "") }),
    ...(security.length === 0 ? {} : { SecurityOpt: security }),
  };
}

export function jsonParameter(query: Query, name: string): unknown {
  const text = query.get(name);
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new EngineError("invalidArgument", `error reading ${name}: ${messageOf(error)}`, { cause: error });
  }
}
