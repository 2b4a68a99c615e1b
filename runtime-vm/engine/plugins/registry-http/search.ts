import type { RegistryAuth, SearchResult } from "#core/registry/registry.ts";
import { EngineError } from "#base/errors.ts";
import type { Endpoint } from "./endpoints.ts";
import { readBody, type HttpClient } from "./http-client.ts";

const answerBytesMax = 4 * 1024 * 1024;

/** The search of registry API version 1, which Docker Hub still answers; hardly any other registry has it. */
export async function searchIndex(
  http: HttpClient,
  { base, insecure, tls }: Endpoint,
  query: { term: string; limit: number },
  { auth, signal }: { auth: RegistryAuth; signal: AbortSignal },
): Promise<readonly SearchResult[]> {
  const url = new URL("v1/search", base);
  url.searchParams.set("q", query.term);
  url.searchParams.set("n", String(query.limit));
  const { username, password } = auth;
  const authorization = username ? { authorization: `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}` } : {};
  const response = await http.fetch(url, {
    signal,
    insecure,
    ...(tls === undefined ? {} : { tls }),
    headers: { accept: "application/json", ...authorization },
  });
  const body = await readBody(response, answerBytesMax);
  if (response.status === 401 || response.status === 403) throw new EngineError("unauthorized", `${base.host} refuses to search for this identity`);
  if (response.status >= 500) throw new EngineError("unavailable", `Unexpected status code ${response.status}`);
  const results = response.status === 200 ? resultsOf(body) : undefined;
  if (results === undefined) throw new EngineError("notImplemented", `the registry ${base.host} offers no search; look for images on its web site`);
  return results;
}

function resultsOf(body: Buffer): readonly SearchResult[] | undefined {
  try {
    const { results } = (JSON.parse(body.toString("utf8")) ?? {}) as { results?: unknown };
    return Array.isArray(results) ? (results as Partial<SearchResult>[]).map(resultOf) : undefined;
  } catch {
    return undefined;
  }
}

const resultOf = (row: Partial<SearchResult>): SearchResult => ({
  star_count: Number(row.star_count ?? 0),
  is_official: row.is_official === true,
  name: String(row.name ?? ""),
  // Docker Hub has not built images by itself for years; clients still read the field.
  is_automated: false,
  description: String(row.description ?? ""),
});
