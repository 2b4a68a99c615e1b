import { familiarName, isDigest, normalizedName, parseAnyReference, parseReference, withDefaultTag, withTag } from "#api/reference.ts";
import { checkFilters, type Filters } from "#api/filters.ts";
import { EngineError } from "#base/errors.ts";
import type { ImageStore } from "#core/images/images.ts";
import { inspectDistribution } from "#core/registry/distribution.ts";
import type { Registries, SearchResult } from "#core/registry/registry.ts";
import { platformParameter, progressAnswer, registryAuth } from "./image-answers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

/** What goes to registries, or only asks them. Before the routes of images: their names hold slashes, too. */
export const registryRoutes = (images: Pick<ImageStore, "push">, registries: Pick<Registries, "open" | "search">): readonly Route[] => [
  route("GET", "/images/search", async ({ query, headers, signal }) => {
    const { domain, term } = splitTerm(query.get("term"));
    const limit = limitOf(query);
    const wanted = searchFilter(query.filters());
    const found = await registries.search(domain, { term, limit }, { auth: registryAuth(headers["x-registry-auth"]), signal });
    return { status: 200, json: found.filter(wanted) };
  }),
  route("POST", "/images/{name...}/push", async ({ params, query, headers, signal }) => {
    const reference = pushReference(params.name, query.get("tag"));
    const platform = platformParameter(query);
    const auth = registryAuth(headers["x-registry-auth"]);
    return await progressAnswer(images.push({ reference, auth, signal, ...(platform === undefined ? {} : { platform }) }));
  }),
  route("GET", "/distribution/{name...}/json", async ({ params, headers, signal }) => {
    const parsed = parseAnyReference(params.name);
    if (!("path" in parsed)) throw new EngineError("invalidArgument", "no manifest found for full image ID");
    const ref = withDefaultTag(parsed);
    const reader = registries.open(ref.domain, registryAuth(headers["x-registry-auth"]));
    return { status: 200, json: await inspectDistribution(reader, ref, { signal }) };
  }),
];

/** A tag replaces whatever the name has; without one the name stands as it is, and one with neither tag nor digest means all tags. */
function pushReference(name: string, tag: string): string {
  const ref = parseReference(name);
  if (isDigest(tag)) throw new EngineError("invalidArgument", "invalid tag format");
  return tag === "" ? normalizedName(ref) : familiarName(withTag(ref, tag));
}

/** `registry.example/term` asks that registry, everything else Docker Hub. */
function splitTerm(text: string): { domain: string; term: string } {
  if (text === "") throw new EngineError("invalidArgument", "search term must not be empty; give term=NAME");
  if (text.includes("://")) throw new EngineError("invalidArgument", `invalid repository name: ${text} cannot contain a scheme`);
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(0, slash));
  const isHost = first === "localhost" || /[.:]/.test(first);
  if (!isHost) return { domain: "docker.io", term: text.replace(/^library\//, "") };
  const term = text.slice(slash + 1);
  return first === "docker.io" || first === "index.docker.io" ? { domain: "docker.io", term: term.replace(/^library\//, "") } : { domain: first, term };
}

function limitOf(query: Query): number {
  const limit = query.int("limit", 25) || 25;
  if (limit < 1 || limit > 100) throw new EngineError("invalidArgument", `limit ${limit} is outside the range of [1, 100]`);
  return limit;
}

function searchFilter(filters: Filters): (row: SearchResult) => boolean {
  checkFilters(filters, ["is-automated", "is-official", "stars"]);
  const flag = (name: string): boolean | undefined => {
    const values = filters[name];
    if (values === undefined || values.length === 0) return undefined;
    if (values.length > 1 || !["true", "false", "1", "0"].includes(values[0]!))
      throw new EngineError("invalidArgument", `invalid filter '${name}=[${values.join(" ")}]'`);
    return values[0] === "true" || values[0] === "1";
  };
  const [official, automated] = [flag("is-official"), flag("is-automated")];
  const stars = (filters["stars"] ?? []).map((value) => {
    if (!/^\d+$/.test(value)) throw new EngineError("invalidArgument", `invalid filter 'stars=[${value}]'`);
    return Number(value);
  });
  return (row) =>
    (official === undefined || row.is_official === official) &&
    (automated === undefined || row.is_automated === automated) &&
    stars.every((least) => row.star_count >= least);
}
