import { EngineError, type ErrorClass } from "#base/errors.ts";
import { any } from "#api/decode.ts";
import { type Handler, type Method, type RequestContext, type Route, route } from "./router.ts";

/**
 * What dockerd answers where no swarm is: a request that makes no sense is refused for what is wrong with it, any other because
 * this node manages no swarm. This engine cannot become part of one either, and says so where dockerd would do it.
 */
export const swarmRoutes = (): readonly Route[] => [
  ...["/swarm/init", "/swarm/join"].map((path) => route("POST", path, refuse("notImplemented", noSwarm, readBody))),
  route("POST", "/swarm/leave", refuse("unavailable", "This node is not part of a swarm")),
  ...rows.map(([method, path, ...checks]) => route(method, path, refuse("unavailable", noManager, ...checks))),
];

/** Throws what is wrong with the request. */
type Check = (context: RequestContext) => Promise<void> | void;

const readBody: Check = async ({ json }) => void (await json(any));

const readFilters: Check = ({ query }) => void query.filters();

const readVersion =
  (what: string): Check =>
  ({ query }) => {
    const version = query.get("version");
    if (/^\d+$/.test(version)) return;
    // Secrets and configurations have a sentence of their own.
    const said = /^(secret|config)$/.test(what) ? "" : ` '${version}': strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
    throw new EngineError("invalidArgument", `invalid ${what} version${said}`);
  };

const readStreams: Check = ({ query }) => {
  if (!query.bool("stdout") && !query.bool("stderr")) throw new EngineError("invalidArgument", "Bad parameters: you must choose at least one stream");
};

type Row = readonly [method: Method, path: string, ...checks: Check[]];

const nouns = ["service", "node", "task", "secret", "config"] as const;

/** `docker node ls` and all of its kin. */
const rows: readonly Row[] = [
  ["GET", "/swarm"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/unlock", readBody],
  ["POST", "/swarm/update", readBody, readVersion("swarm")],
  ...nouns.flatMap((noun): Row[] => [
    ["GET", `/${noun}s`, readFilters],
    ["GET", `/${noun}s/{id}`],
  ]),
  ...nouns
    .filter((noun) => noun !== "task")
    .flatMap((noun): Row[] => [
      ["DELETE", `/${noun}s/{id}`],
      ["POST", `/${noun}s/{id}/update`, readBody, readVersion(noun)],
    ]),
  ...["/services", "/secrets", "/configs"].map((path): Row => ["POST", `${path}/create`, readBody]),
  ...["/services", "/tasks"].map((path): Row => ["GET", `${path}/{id}/logs`, readStreams]),
];

const noManager = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const noSwarm = "this engine has no swarm mode: run several containers together with docker compose";

/** Runs the checks, and refuses what passes them. */
function refuse(cls: ErrorClass, message: string, ...checks: readonly Check[]): Handler {
  return async (context) => {
    for (const check of checks) await check(context);
    throw new EngineError(cls, message);
  };
}
