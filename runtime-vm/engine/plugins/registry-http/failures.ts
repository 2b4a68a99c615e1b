import { EngineError } from "#base/errors.ts";
import { readBody, type HttpResponse } from "./http-client.ts";

const errorBytesMax = 64 * 1024;
/** For answers without a body, as those to HEAD are. */
const silent: Readonly<Record<number, string>> = { 401: "unauthorized: authentication required", 403: "denied: requested access to the resource is denied" };

/** The registry's own words (`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`), in Docker's form `manifest unknown: manifest unknown`. */
export async function failureOf(response: HttpResponse): Promise<EngineError> {
  const text = (await readBody(response, errorBytesMax)).toString("utf8");
  const said = firstError(text) ?? silent[response.status] ?? `unexpected status code ${response.status}`;
  if (response.status === 404) return new EngineError("notFound", said);
  if (response.status === 401 || response.status === 403) return new EngineError("unauthorized", said);
  // What is wrong with a request is as wrong the next time.
  if (response.status >= 400 && response.status < 500 && ![408, 416, 429].includes(response.status)) return new EngineError("invalidArgument", said);
  return new EngineError("unavailable", response.status === 429 ? `toomanyrequests: ${said}` : said);
}

function firstError(text: string): string | undefined {
  try {
    const [error] = (JSON.parse(text) as { errors?: { code?: string; message?: string }[] }).errors ?? [];
    if (error?.code === undefined) return undefined;
    const code = error.code.toLowerCase().replaceAll("_", " ");
    return `${code}: ${error.message ?? code}`;
  } catch {
    return undefined;
  }
}
