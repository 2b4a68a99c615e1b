import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { HostConfig } from "#api/containers.ts";
import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { givenBounds } from "#core/builds/bounds.ts";
import type { Builds } from "#core/builds/builds.ts";
import { remoteTar } from "#core/builds/classic-context.ts";
import { classicBuild, type ClassicOptions } from "#core/builds/classic.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { parsePlatform } from "#core/images/platform.ts";
import { json, lines } from "./image-answers.ts";
import type { Query } from "./query.ts";
import { type HijackHead, hijacked, type Route, route } from "./router.ts";

/** `POST /build` as the classic builder serves it, and the build cache. */
export const buildRoutes = (builds: Builds, doors: BuildDoors): readonly Route[] => [
  route("POST", "/grpc", ({ hijack, headers }) => taken(hijack, headers, (connection) => doors.grpc(connection)), { upgrades: true }),
  route("POST", "/session", ({ hijack, headers }) => taken(hijack, headers, (connection) => doors.session(connection, headers)), { upgrades: true }),
  route("POST", "/build", async ({ query, headers, body, signal }) => {
    if (query.get("version") === "2") throw new EngineError("invalidArgument", "BuildKit is reached at /grpc; POST /build is the classic builder (version=1)");
    const options = optionsFrom(builds, query, authOf(headers["x-registry-config"]));
    const remote = query.get("remote");
    await using undo = new AsyncDisposableStack();
    const context = remote === "" ? body : await remoteTar(builds, remote, { signal, undo });
    const scratch = join(builds.backends.paths.buildWork, `context-${randomUUID()}`);
    const messages = await classicBuild(builds, options, { context, scratch, signal });
    return { status: 200, headers: json, stream: lines(messages) };
  }),
  route("POST", "/build/prune", async ({ query }) => {
    const sizes = { maxUsed: query.int("max-used-space", 0), reserved: query.int("reserved-space", query.int("keep-storage", 0)) };
    const bounds = givenBounds({ ...sizes, minFree: query.int("min-free-space", 0) });
    const { ids, bytes } = await builds.prune({ all: query.bool("all"), bounds, filters: query.filters() });
    return { status: 200, json: { CachesDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: bytes } };
  }),
];

/** What BuildKit's clients speak to; both resolve when the connection ends. */
export interface BuildDoors {
  grpc(connection: Duplex): Promise<void>;
  session(connection: Duplex, headers: IncomingHttpHeaders): Promise<void>;
}

async function taken(
  hijack: (head: HijackHead) => Duplex,
  { upgrade = "" }: IncomingHttpHeaders,
  serve: (connection: Duplex) => Promise<void>,
): Promise<typeof hijacked> {
  if (upgrade === "") throw new EngineError("invalidArgument", "no upgrade proto in request");
  if (upgrade.toLowerCase() !== "h2c") throw new EngineError("invalidArgument", `protocol ${upgrade} not supported`);
  await serve(hijack({ contentType: "application/vnd.docker.raw-stream" }));
  return hijacked;
}

function optionsFrom(builds: Builds, query: Query, auth: ClassicOptions["auth"]): ClassicOptions {
  if (query.bool("squash")) throw new EngineError("invalidArgument", "squash is only supported with experimental mode");
  const platform = query.get("platform");
  return {
    dockerfile: query.get("dockerfile"),
    names: [
      ...new Set(
        query
          .all("t")
          .filter((name) => name !== "")
          .map(nameFrom),
      ),
    ],
    target: query.get("target"),
    args: argsFrom(query),
    labels: (jsonParameter(query, "labels") ?? {}) as Record<string, string>,
    pull: query.bool("pull"),
    noCache: query.bool("nocache"),
    quiet: query.bool("q"),
    removes: query.get("rm") === "" || query.bool("rm"),
    platform: platform === "" ? undefined : parsePlatform(platform, builds.backends.host),
    hostConfig: hostConfigFrom(query),
    auth,
  };
}

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

/** The login for an image's registry, from X-Registry-Config. */
export function authOf(header: string | string[] | undefined): (image: string) => Promise<RegistryAuth | undefined> {
  const auths = registryConfig(header);
  return (image) => Promise.resolve(auths[authKey(image)]);
}

/** Of each registry by its name; what is no such header is none, as for dockerd. */
function registryConfig(header: string | string[] | undefined): Readonly<Record<string, RegistryAuth>> {
  if (typeof header !== "string" || header === "") return {};
  try {
    return JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as Record<string, RegistryAuth>;
  } catch {
    return {};
  }
}

function authKey(image: string): string {
  const { domain } = parseReference(image);
  return domain === "docker.io" ? "https://index.docker.io/v1/" : domain;
}
