import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { parseReference } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { givenBounds } from "#core/builds/bounds.ts";
import type { Builds } from "#core/builds/builds.ts";
import { remoteTar } from "#core/builds/classic-context.ts";
import { classicBuild } from "#core/builds/classic.ts";
import type { ClassicRecords } from "#core/builds/classic-records.ts";
import type { PostedBuilds } from "#core/builds/posted.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { json, lines } from "./image-answers.ts";
import { classicOptions, isBuildKit, postedBuild } from "./build-query.ts";
import type { Query } from "./query.ts";
import { type HijackHead, hijacked, type Route, route } from "./router.ts";

/** `POST /build` as dockerd's builders serve it, and the build cache. */
export const buildRoutes = (builds: Builds, doors: BuildDoors): readonly Route[] => [
  route("POST", "/grpc", ({ hijack, headers }) => taken(hijack, headers, (connection) => doors.grpc(connection)), { upgrades: true }),
  route("POST", "/session", ({ hijack, headers }) => taken(hijack, headers, (connection) => doors.session(connection, headers)), { upgrades: true }),
  route("POST", "/build", async ({ query, headers, body, signal }) => {
    if (isBuildKit(query, builds.backends.config.experimental))
      return { status: 200, headers: json, stream: lines(await doors.posted.start(postedBuild(query, { body, signal }))) };
    const options = classicOptions(builds, query, authOf(headers["x-registry-config"]));
    const remote = query.get("remote");
    await using undo = new AsyncDisposableStack();
    const context = remote === "" ? body : await remoteTar(builds, remote, { signal, undo });
    const scratch = join(builds.backends.paths.buildWork, `context-${randomUUID()}`);
    const messages = await classicBuild(builds, options, { context, scratch, records: doors.records, signal });
    return { status: 200, headers: json, stream: lines(messages) };
  }),
  route("POST", "/build/cancel", async ({ query }) => {
    if (query.get("id") === "") throw new EngineError("invalidArgument", "build ID not provided");
    doors.posted.cancel(query.get("id"));
    return { status: 200 };
  }),
  route("POST", "/build/prune", async ({ query }) => {
    const size = (name: string): number => bytesOf(query, name);
    const bounds = givenBounds({ maxUsed: size("max-used-space"), reserved: size("reserved-space") || size("keep-storage"), minFree: size("min-free-space") });
    const { ids, bytes } = await builds.prune({ all: query.bool("all"), bounds, filters: query.filters() });
    return { status: 200, json: { CachesDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: bytes } };
  }),
];

function bytesOf(query: Query, name: string): number {
  try {
    return query.int(name, 0);
  } catch (error) {
    throw new EngineError("invalidArgument", `${name} is in bytes and expects an integer, got ${query.get(name)}: ${messageOf(error)}`, { cause: error });
  }
}

/** What BuildKit's clients speak to; the first two resolve when the connection ends. */
export interface BuildDoors {
  readonly posted: PostedBuilds;
  /** What the classic builder builds is written down there. */
  readonly records: ClassicRecords;
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
