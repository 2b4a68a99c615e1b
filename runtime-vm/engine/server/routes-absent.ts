import { EngineError } from "#base/errors.ts";
import { type Handler, type Method, type Route, route } from "./router.ts";

/** What dockerd answers where there is no swarm, no plugin and no checkpoint: this engine has none of them. */
export const absentRoutes = (): readonly Route[] => [
  ...swarm.map(([method, path]) => route(method, path, refuse("unavailable", noManager))),
  route("POST", "/swarm/leave", refuse("unavailable", "This node is not part of a swarm")),
  ...["/swarm/init", "/swarm/join"].map((path) => route("POST", path, refuse("notImplemented", "this engine has no swarm mode"))),
  route("GET", "/plugins", () => ({ status: 200, json: [] })),
  ...plugins.map(([method, path]) => route(method, path, noSuchPlugin)),
  ...["/plugins/pull", "/plugins/create"].map((path) => route("POST", path, refuse("notImplemented", "this engine has no plugins"))),
  ...checkpoints.map(([method, path]) => route(method, path, refuse("notImplemented", experimental))),
];

type Row = readonly [method: Method, path: string];

/** `docker node ls` and all of its kin. */
const swarm: readonly Row[] = [
  ["GET", "/swarm"],
  ["POST", "/swarm/update"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/unlock"],
  ...["/services", "/nodes", "/tasks", "/secrets", "/configs"].flatMap((path): Row[] => [
    ["GET", path],
    ["GET", `${path}/{id}`],
  ]),
  ...["/services", "/nodes", "/secrets", "/configs"].flatMap((path): Row[] => [
    ["DELETE", `${path}/{id}`],
    ["POST", `${path}/{id}/update`],
  ]),
  ...["/services", "/secrets", "/configs"].map((path): Row => ["POST", `${path}/create`]),
  ["GET", "/services/{id}/logs"],
  ["GET", "/tasks/{id}/logs"],
];

const plugins: readonly Row[] = [
  ["GET", "/plugins/{name...}/json"],
  ["DELETE", "/plugins/{name...}"],
  ...["enable", "disable", "push", "set", "upgrade"].map((what): Row => ["POST", `/plugins/{name...}/${what}`]),
];

const checkpoints: readonly Row[] = [
  ["GET", "/containers/{id}/checkpoints"],
  ["POST", "/containers/{id}/checkpoints"],
  ["DELETE", "/containers/{id}/checkpoints/{checkpoint}"],
];

const noManager = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const experimental = "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.";

function refuse(cls: "unavailable" | "notImplemented", message: string): Handler {
  return () => {
    throw new EngineError(cls, message);
  };
}

const noSuchPlugin: Handler = ({ params }) => {
  throw new EngineError("notFound", `plugin "${params["name"]}" not found`);
};
