import { parseGoJson } from "#api/gojson.ts";
import type { PullProgress } from "#api/images.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { failure } from "./answer.ts";
import type { Query } from "./query.ts";
import type { Answer } from "./router.ts";

/** Longest X-Registry-Auth read. */
const authCharsMax = 64 * 1024;

export const json = { "Content-Type": "application/json" } as const;

/** `{"os":"linux","architecture":"arm64"}`, as inspect and history take it. */
export function platformParameter(query: Query): string | undefined {
  const text = query.get("platform");
  return text === "" ? undefined : platformOf(text);
}

/** The same of a parameter that may be given more than once. */
export const platformParameters = (query: Query): readonly string[] =>
  query
    .all("platforms")
    .filter((text) => text !== "")
    .map(platformOf);

function platformOf(text: string): string {
  const { os, architecture, variant } = parsePlatformJson(text);
  if (!os || !architecture) throw new EngineError("invalidArgument", "both OS and Architecture must be provided");
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

function parsePlatformJson(text: string): { os?: string; architecture?: string; variant?: string } {
  try {
    return (parseGoJson(text).value ?? {}) as { os?: string; architecture?: string; variant?: string };
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to parse platform: ${messageOf(error)}`);
  }
}

/** X-Registry-Auth: base64 (either alphabet) of JSON. What cannot be read counts as none, as in dockerd. */
export function registryAuth(header: string | string[] | undefined): RegistryAuth {
  if (typeof header !== "string" || header.length > authCharsMax) return {};
  try {
    const auth = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as RegistryAuth;
    return typeof auth === "object" && auth !== null ? auth : {};
  } catch {
    return {};
  }
}

/** What fails before the first message is a status; later the answer has begun, and the failure is its last line. */
export async function progressAnswer(progress: AsyncIterable<PullProgress>): Promise<Answer> {
  const iterator = progress[Symbol.asyncIterator]();
  const first = await iterator.next();
  const all = (async function* () {
    try {
      if (first.done !== true) yield first.value;
      if (first.done !== true) yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      await iterator.return?.();
    }
  })();
  return { status: 200, headers: json, stream: lines(all) };
}

export async function* lines(progress: AsyncIterable<object>): AsyncIterable<string> {
  try {
    for await (const message of progress) yield `${JSON.stringify(message)}\r\n`;
  } catch (error) {
    const { message } = failure(error);
    yield `${JSON.stringify({ errorDetail: { message }, error: message } satisfies PullProgress)}\r\n`;
  }
}
