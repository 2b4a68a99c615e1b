import { booleanFilter, checkFilters, matchesLabels, type Filters } from "#api/filters.ts";
import { familiarName, familiarRepository } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import { parseMoment } from "#core/clock/until.ts";
import type { Digest } from "#core/content/content.ts";
import { lookUp, referenceOf } from "./lookup.ts";
import type { Variant } from "./documents.ts";
import { isDangling, type ImageName, type ImageNames } from "./names.ts";

/** An image as filters see it. */
export interface Candidate {
  readonly names: readonly ImageName[];
  readonly best: Variant | undefined;
}

const listFilters = ["dangling", "label", "label!", "before", "since", "reference", "until"];
const pruneFilters = ["dangling", "label", "label!", "until"];

/** A test for `GET /images/json`; rejects filters it does not know and images they name that are not here. */
export async function listFilter(
  filters: Filters,
  names: ImageNames,
  created: (digest: Digest) => Promise<number | undefined>,
): Promise<(image: Candidate) => boolean> {
  checkFilters(filters, listFilters);
  const dangling = filters["dangling"] === undefined ? undefined : booleanFilter(filters, "dangling", false);
  const before = await Promise.all((filters["before"] ?? []).map((name) => created(lookUp(names, name).digest)));
  const since = await Promise.all((filters["since"] ?? []).map((name) => created(lookUp(names, name).digest)));
  const until = (filters["until"] ?? []).map(momentMs);
  return (image) => {
    const time = createdMs(image.best);
    return (
      (dangling === undefined || dangling === image.names.every(isDangling)) &&
      before.every((limit) => limit === undefined || (time !== undefined && time < limit)) &&
      since.every((limit) => limit === undefined || (time !== undefined && time > limit)) &&
      until.every((limit) => arrivedMs(image) < limit) &&
      labelsMatch(filters, image.best) &&
      referencesMatch(filters["reference"], image.names)
    );
  };
}

/** A test for `POST /images/prune`: which images may go. Without `dangling=false` only nameless ones. */
export function pruneFilter(filters: Filters): (image: Candidate) => boolean {
  checkFilters(filters, pruneFilters);
  const danglingOnly = booleanFilter(filters, "dangling", true);
  const until = (filters["until"] ?? []).map(momentMs);
  return (image) => {
    if (danglingOnly && !image.names.every(isDangling)) return false;
    return until.every((limit) => arrivedMs(image) < limit) && labelsMatch(filters, image.best);
  };
}

/** Only the names that a `reference` filter asks for are listed. */
export function namesMatching(patterns: readonly string[] | undefined, names: readonly ImageName[]): readonly ImageName[] {
  return patterns === undefined || patterns.length === 0 ? names : names.filter((image) => patterns.some((pattern) => matchesReference(pattern, image)));
}

/** When an image was made; undefined for one that does not say, which no limit on time lets through. */
export const createdMs = (variant: Variant | undefined): number | undefined =>
  variant?.config?.created === undefined ? undefined : Date.parse(variant.config.created);

/** When an image came here: what `until` asks for with the containerd image store, so that a fresh pull of an old image stays. */
const arrivedMs = ({ names }: Candidate): number => Math.min(...names.map(({ created }) => Date.parse(created)));

function labelsMatch(filters: Filters, best: Variant | undefined): boolean {
  const labels = best?.config?.config?.Labels ?? {};
  return matchesLabels(filters["label"], labels) && !(filters["label!"] ?? []).some((wanted) => matchesLabels([wanted], labels));
}

const referencesMatch = (patterns: readonly string[] | undefined, names: readonly ImageName[]): boolean =>
  patterns === undefined || patterns.length === 0 || namesMatching(patterns, names).length > 0;

/** As Go's path.Match: on the whole familiar name, or on its repository where the pattern has no tag. */
function matchesReference(pattern: string, image: ImageName): boolean {
  if (isDangling(image)) return false;
  const ref = referenceOf(image);
  const expression = globExpression(pattern);
  return expression.test(familiarName(ref)) || expression.test(familiarRepository(ref));
}

function globExpression(pattern: string): RegExp {
  const source = pattern.replace(/\[[^\]]*\]|\\.|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1 && part.startsWith("[")) return part;
    return part.replace(/^\\/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw new EngineError("invalidArgument", `invalid reference filter ${JSON.stringify(pattern)}: syntax error in pattern`);
  }
}

/** Unix seconds, RFC 3339, or a Go duration before now. */
const momentMs = (text: string): number => Number(parseMoment(text)) / 1e6;
