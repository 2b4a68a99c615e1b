import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { EngineError, messageOf } from "#base/errors.ts";

/** One `GET /_ping` on a fresh stream. Rejects with class `unavailable` unless the answer is 200. */
export async function ping(stream: Duplex, signal: AbortSignal): Promise<void> {
  const call = request({ path: "/_ping", headers: { host: "engine", connection: "close" }, createConnection: () => stream, signal });
  call.end();
  let answer: IncomingMessage;
  try {
    [answer] = (await once(call, "response")) as [IncomingMessage];
  } catch (error) {
    throw new EngineError("unavailable", `the engine does not answer: ${messageOf(error)}`, { cause: error });
  }
  answer.resume();
  stream.destroy();
  if (answer.statusCode !== 200) throw new EngineError("unavailable", `the engine answers its ping with status ${answer.statusCode}`);
}
