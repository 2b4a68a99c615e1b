import { createServer } from "node:http";
import { EngineError, messageOf } from "#base/errors.ts";

/** Longest time a client may take for its request. */
const requestMsMax = 10_000;

/** Serves `GET /metrics` at `HOST:PORT`, and nothing else. */
export async function openMetrics(address: string, text: () => string): Promise<AsyncDisposable> {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  const server = createServer({ requestTimeout: requestMsMax, headersTimeout: requestMsMax }, (request, answer) => {
    request.resume();
    const found = request.method === "GET" && /^\/metrics\/?(\?|$)/.test(request.url ?? "");
    answer.writeHead(found ? 200 : 404, { "Content-Type": found ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8" });
    answer.end(found ? text() : "404 page not found\n");
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(
        new EngineError("unavailable", `metrics cannot be served at ${address}: ${messageOf(error)}; change "metrics-addr" in daemon.json`, { cause: error }),
      );
    };
    server.once("error", fail);
    server.listen({ port: Number(address.slice(at + 1)), ...(host === "" ? {} : { host }) }, resolve);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
