import { EngineError } from "#base/errors.ts";
import { nowNano } from "#core/clock/clock.ts";
import { authShape } from "#api/container-shapes.ts";
import { eventFilter } from "#core/events/filter.ts";
import type { EventLog } from "#core/events/events.ts";
import type { Registries, RegistryAuth } from "#core/registry/registry.ts";
import type { SystemInfo } from "#core/system/system.ts";
import { type DiskBackends, diskUsage } from "./disk-usage.ts";
import { infoFor } from "./info-versions.ts";
import { unixNano } from "./numbers.ts";
import { type Answer, type Route, route } from "./router.ts";
import { absentRoutes } from "./routes-absent.ts";
import { jsonLines } from "./routes-streams.ts";

export interface SystemBackends extends DiskBackends {
  readonly system: SystemInfo;
  readonly events: EventLog;
  readonly registries: Pick<Registries, "open">;
}

/** The engine itself: whether it lives, what it is, what happens, what takes space. */
export const systemRoutes = (backends: SystemBackends): readonly Route[] => [
  route("HEAD", "/_ping", () => pong),
  route("GET", "/_ping", () => pong),
  route("GET", "/version", async () => ({ status: 200, json: await backends.system.version() })),
  route("GET", "/info", async ({ version }) => {
    return { status: 200, json: infoFor(version, await backends.system.info()) };
  }),
  route("GET", "/events", ({ query, signal }) => {
    const sinceNano = unixNano(query.get("since"), "since");
    // 0 asks for what was, and for nothing to come.
    const pastOnly = query.get("until") === "0";
    const untilNano = pastOnly ? 0n : unixNano(query.get("until"), "until");
    if (sinceNano !== undefined && untilNano !== undefined && sinceNano > untilNano) {
      throw new EngineError("invalidArgument", `\`since\` time (${query.get("since")}) cannot be after \`until\` time (${query.get("until")})`);
    }
    const events = backends.events.follow({
      filter: eventFilter(query.filters()),
      signal,
      // An `until` alone asks for what was, too.
      ...(sinceNano === undefined ? (untilNano === undefined ? {} : { sinceNano: 0n }) : { sinceNano }),
      ...(untilNano === undefined ? {} : { untilNano: pastOnly ? nowNano() : untilNano }),
    });
    return { status: 200, stream: jsonLines(events) };
  }),
  route("GET", "/system/df", async ({ query, version }) => ({ status: 200, json: await diskUsage(backends, version, query.all("type")) })),
  route("POST", "/auth", async ({ json, signal }) => {
    const auth = ((await json(authShape)) ?? {}) as RegistryAuth;
    const identity = await backends.registries.open(registryHost(auth.serveraddress ?? ""), auth).login({ signal });
    return { status: 200, json: { IdentityToken: identity, Status: "Login Succeeded" } };
  }),
  ...absentRoutes(),
];

/** `docker login` names Docker's registry by its old index, and may write a whole URL for any other. */
function registryHost(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
  if (host !== "" && !/^(\[[0-9a-f:.]+\]|[a-z0-9]([\w.-]*[a-z0-9])?)(:\d{1,5})?$/i.test(host)) {
    throw new EngineError("invalidArgument", `invalid registry address ${JSON.stringify(address)}: want HOST or HOST:PORT`);
  }
  return host === "" || host === "index.docker.io" ? "docker.io" : host;
}

const pong: Answer = {
  status: 200,
  headers: { "Cache-Control": "no-cache, no-store, must-revalidate", Pragma: "no-cache", Swarm: "inactive" },
  text: "OK",
};
