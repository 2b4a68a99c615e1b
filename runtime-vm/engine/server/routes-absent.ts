import { EngineError } from "#base/errors.ts";
import { type Handler, type Method, type Route, route } from "./router.ts";
import { swarmRoutes } from "./routes-swarm.ts";

/** What dockerd answers where there is no swarm, no plugin and no checkpoint: this engine has none of them. */
export const absentRoutes = (): readonly Route[] => [
  ...swarmRoutes(),
  route("GET", "/plugins", ({ query }) => {
    query.filters();
    return { status: 200, json: [] };
  }),
  ...plugins.map(([method, path]) => route(method, path, noSuchPlugin)),
  ...installing.map(([method, path]) => route(method, path, refuse(noPlugins))),
  ...checkpoints.map(([method, path]) => route(method, path, refuse(experimental))),
];

type Row = readonly [method: Method, path: string];

const plugins: readonly Row[] = [
  ["GET", "/plugins/{name...}/json"],
  ["DELETE", "/plugins/{name...}"],
  ...["enable", "disable", "push", "set", "upgrade"].map((what): Row => ["POST", `/plugins/{name...}/${what}`]),
];

/** `docker plugin install` asks for the privileges first. */
const installing: readonly Row[] = [
  ["GET", "/plugins/privileges"],
  ["POST", "/plugins/pull"],
  ["POST", "/plugins/create"],
];

const checkpoints: readonly Row[] = [
  ["GET", "/containers/{id}/checkpoints"],
  ["POST", "/containers/{id}/checkpoints"],
  ["DELETE", "/containers/{id}/checkpoints/{checkpoint}"],
];

const noPlugins = "this engine has no plugins";
const experimental = "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.";

function refuse(message: string): Handler {
  return () => {
    throw new EngineError("notImplemented", message);
  };
}

const noSuchPlugin: Handler = ({ params }) => {
  throw new EngineError("notFound", `plugin "${params["name"]}" not found`);
};
