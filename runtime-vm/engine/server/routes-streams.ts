import { EngineError } from "#base/errors.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { LogQuery } from "#core/logs/logs.ts";
import { has } from "#api/versions.ts";
import { unixNano } from "./numbers.ts";
import type { Query } from "./query.ts";
import { type Route, hijacked, route } from "./router.ts";
import { serveStreams, streamContentType } from "./streams.ts";

/** What containers print and are told: logs, attach, stats. */
export const streamRoutes = (containers: Pick<ContainerManager, "log" | "attach" | "stats" | "statsOnce">): readonly Route[] => [
  route("GET", "/containers/{id...}/logs", async ({ params, query, version, signal }) => {
    const wanted = logQuery(query, signal);
    const { log, tty } = await containers.log(params.id);
    return {
      status: 200,
      headers: { "Content-Type": streamContentType(version, tty) },
      stream: log.readFrames(wanted, { raw: tty, timestamps: query.bool("timestamps"), details: query.bool("details") }),
    };
  }),
  route(
    "POST",
    "/containers/{id...}/attach",
    async ({ params, query, version, signal, hijack }) => {
      const attached = await containers.attach(params.id, {
        stdin: query.bool("stdin"),
        stdout: query.bool("stdout"),
        stderr: query.bool("stderr"),
        logs: query.bool("logs"),
        stream: query.bool("stream"),
        detachKeys: query.get("detachKeys"),
        signal,
      });
      await serveStreams(hijack({ contentType: streamContentType(version, attached.tty) }), attached);
      return hijacked;
    },
    { upgrades: true },
  ),
  route(
    "GET",
    "/containers/{id...}/attach/ws",
    async ({ params, query, version, signal, webSocket }) => {
      // Older clients always get all streams.
      const wanted = (name: string): boolean => !has(version, "webSocketStreams") || query.bool(name);
      const attached = await containers.attach(params.id, {
        stdin: wanted("stdin"),
        stdout: wanted("stdout"),
        stderr: wanted("stderr"),
        logs: query.bool("logs"),
        stream: query.bool("stream"),
        detachKeys: query.get("detachKeys"),
        signal,
      });
      // Both streams come as they are, without frames.
      await serveStreams(await webSocket(), { ...attached, tty: true });
      return hijacked;
    },
    { upgrades: true },
  ),
  route("GET", "/containers/{id...}/stats", async ({ params, query, version, signal }) => {
    if (!query.bool("stream", true)) {
      const oneShot = has(version, "oneShotStats") && query.bool("one-shot");
      return { status: 200, json: await containers.statsOnce(params.id, { oneShot, signal }) };
    }
    if (query.bool("one-shot")) throw new EngineError("invalidArgument", "cannot have stream=true and one-shot=true");
    return { status: 200, stream: jsonLines(containers.stats(params.id, signal)) };
  }),
];

function logQuery(query: Query, signal: AbortSignal): LogQuery {
  const stdout = query.bool("stdout");
  const stderr = query.bool("stderr");
  if (!stdout && !stderr) throw new EngineError("invalidArgument", "Bad parameters: you must choose at least one stream");
  const sinceNano = unixNano(query.get("since"), "since");
  const untilNano = unixNano(query.get("until"), "until");
  const tail = query.get("tail");
  return {
    stdout,
    stderr,
    follow: query.bool("follow"),
    signal,
    ...(sinceNano === undefined ? {} : { sinceNano }),
    ...(untilNano === undefined ? {} : { untilNano }),
    // Anything that is no number means all, as with dockerd.
    ...(/^\d+$/.test(tail) ? { tail: Number(tail) } : {}),
  };
}

/** One JSON document a line. */
export async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
