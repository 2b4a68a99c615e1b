import type { Readable } from "node:stream";
import type { BuildDetails, BuildMessage, BuildOptions, BuildSummary } from "#api/builds.ts";
import { EngineError } from "#base/errors.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { json, lines } from "./image-answers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";
import { jsonParameter } from "./build-query.ts";
import { authOf } from "./routes-build.ts";

/** Builds of folders, and the builds that were. */
export interface FolderBuildBackend {
  list(): BuildSummary[];
  read(ref: string): BuildDetails;
  remove(ref: string): void;
  changes(signal: AbortSignal): AsyncIterable<object>;
  start(build: {
    options: BuildOptions;
    context: Readable;
    auth: (image: string) => Promise<RegistryAuth | undefined>;
    signal: AbortSignal;
  }): Promise<AsyncIterable<BuildMessage>>;
}

/** Docker's API tells of builds by BuildKit's gRPC alone, which a window does not speak. */
export const folderBuildRoutes = (builds: FolderBuildBackend): readonly Route[] => [
  route("GET", "/slipway/builds", async () => ({ status: 200, json: builds.list() })),
  route("GET", "/slipway/builds/changes", async ({ signal }) => ({ status: 200, headers: json, stream: lines(builds.changes(signal)) })),
  route("GET", "/slipway/builds/{ref}", async ({ params }) => ({ status: 200, json: builds.read(params.ref) })),
  route("DELETE", "/slipway/builds/{ref}", async ({ params }) => {
    builds.remove(params.ref);
    return { status: 204 };
  }),
  route("POST", "/slipway/builds", async ({ query, headers, body, signal }) => {
    const messages = await builds.start({ options: optionsFrom(query), context: body, auth: authOf(headers["x-registry-config"]), signal });
    return { status: 200, headers: json, stream: lines(messages) };
  }),
];

/** Named as those of `POST /build`, and the folder's path on the client's computer for the history. */
function optionsFrom(query: Query): BuildOptions {
  const args = jsonParameter(query, "buildargs") ?? {};
  if (typeof args !== "object" || Object.values(args).some((value) => typeof value !== "string")) {
    throw new EngineError("invalidArgument", 'buildargs: an object of strings, as in {"NAME":"value"}');
  }
  return {
    folder: query.get("folder"),
    dockerfile: query.get("dockerfile") || "Dockerfile",
    target: query.get("target"),
    platform: query.get("platform"),
    tags: query.all("t").filter((tag) => tag !== ""),
    args: args as Record<string, string>,
    noCache: query.bool("nocache"),
    pull: query.bool("pull"),
  };
}
