import { type LogLevelName, logLevelNames } from "#api/log-search.ts";
import { EngineError } from "#base/errors.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { LogSearch } from "#core/logs/memory.ts";
import { unixNano } from "./numbers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

const limitDefault = 1_000;
const limitMax = 100_000;
const regexCharsMax = 1_000;

/** Beyond Docker's API: `GET /slipway/logs/search`, through the output of every container that is there and of those that were. */
export const logRoutes = (containers: Pick<ContainerManager, "searchLogs">): readonly Route[] => [
  route("GET", "/slipway/logs/search", ({ query, signal }) => ({
    status: 200,
    headers: { "Content-Type": "application/jsonl" },
    stream: containers.searchLogs(searchOf(query, signal)),
  })),
];

function searchOf(query: Query, signal: AbortSignal): LogSearch {
  const [text, regex, stream] = [query.get("text"), query.get("regex"), query.get("stream")];
  if (stream !== "" && stream !== "stdout" && stream !== "stderr") throw invalid(`stream must be stdout or stderr, got ${JSON.stringify(stream)}`);
  if (regex.length > regexCharsMax) throw invalid(`regex has ${regex.length} characters, more than ${regexCharsMax}`);
  const [sinceNano, untilNano, level] = [unixNano(query.get("since"), "since"), unixNano(query.get("until"), "until"), levelOf(query.get("level"))];
  return {
    ignoreCase: query.bool("ignoreCase"),
    fields: query.all("field").map(fieldOf),
    containers: query.all("container"),
    limit: limitOf(query),
    oldestFirst: query.bool("oldestFirst"),
    follow: query.bool("follow"),
    signal,
    ...(text === "" ? {} : { text }),
    ...(regex === "" ? {} : { regex }),
    ...(stream === "" ? {} : { stream }),
    ...(level === undefined ? {} : { level }),
    ...(sinceNano === undefined ? {} : { sinceNano }),
    ...(untilNano === undefined ? {} : { untilNano }),
  };
}

/** Who follows is not cut off unless they say so. */
function limitOf(query: Query): number {
  const limit = query.int("limit", query.bool("follow") ? Number.MAX_SAFE_INTEGER : limitDefault);
  if (limit < 1 || (limit > limitMax && query.has("limit"))) throw invalid(`limit must be from 1 to ${limitMax}, got ${limit}`);
  return limit;
}

function levelOf(text: string): LogLevelName | undefined {
  if (text === "") return undefined;
  const found = logLevelNames.find((name) => name === text.toLowerCase());
  if (found === undefined) throw invalid(`level must be one of ${logLevelNames.join(", ")}, got ${JSON.stringify(text)}`);
  return found;
}

function fieldOf(text: string): { path: string; value: string } {
  const at = text.indexOf("=");
  if (at < 1) throw invalid(`field must be a name of the line's JSON and its value, as in http.status=500, got ${JSON.stringify(text)}`);
  return { path: text.slice(0, at), value: text.slice(at + 1) };
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
