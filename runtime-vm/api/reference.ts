import { EngineError } from "#base/errors.ts";

/**
 * Image references as registries and Docker clients write them: `[domain/]path[:tag][@digest]`, grammar and error
 * sentences of github.com/distribution/reference. "Normalized" names carry their domain (`docker.io/library/busybox`),
 * "familiar" ones are what people type (`busybox`).
 */
export interface ImageReference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

const defaultDomain = "docker.io";
const legacyDomain = "index.docker.io";
const officialPrefix = "library/";
const repositoryCharsMax = 255;

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const nameSource = `(?:${host}/)?${component}(?:/${component})*`;
const tagSource = "\\w[\\w.-]{0,127}";
const digestSource = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const referencePattern = new RegExp(`^(${nameSource})(?::(${tagSource}))?(?:@(${digestSource}))?$`);
const tagPattern = new RegExp(`^${tagSource}$`);
const identifierPattern = /^[a-f0-9]{64}$/;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Reads what a person typed. Rejects (invalidArgument) with Docker's sentences. */
export function parseReference(text: string): ImageReference {
  if (identifierPattern.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, remainder] = splitDomain(text);
  const colon = remainder.indexOf(":");
  const remote = colon < 0 ? remainder : remainder.slice(0, colon);
  if (remote.toLowerCase() !== remote) throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  return parseFull(`${domain}/${remainder}`, domain);
}

/** Like `parseReference`, and a bare digest or 64 hex digits is a digest (an image id) without a name. */
export function parseAnyReference(text: string): ImageReference | { readonly digest: string } {
  if (identifierPattern.test(text)) return { digest: `sha256:${text}` };
  if (isDigest(text)) return { digest: text };
  return parseReference(text);
}

/** `latest` where neither tag nor digest is given. */
export function withDefaultTag(ref: ImageReference): ImageReference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: "latest" } : ref;
}

/** Sets the tag, replacing any tag and digest; rejects one the grammar does not allow. */
export function withTag(ref: ImageReference, tag: string): ImageReference {
  if (!tagPattern.test(tag)) throw invalid("invalid tag format");
  return { domain: ref.domain, path: ref.path, tag };
}

export function withDigest(ref: ImageReference, digest: string): ImageReference {
  if (!isDigest(digest)) throw invalid("invalid digest format");
  return { domain: ref.domain, path: ref.path, digest };
}

/** `docker.io/library/busybox`. */
export const repositoryName = (ref: ImageReference): string => `${ref.domain}/${ref.path}`;

/** `docker.io/library/busybox:latest`. */
export const normalizedName = (ref: ImageReference): string => repositoryName(ref) + suffix(ref);

/** `busybox`. */
export function familiarRepository(ref: ImageReference): string {
  if (ref.domain !== defaultDomain) return repositoryName(ref);
  const short = ref.path.startsWith(officialPrefix) ? ref.path.slice(officialPrefix.length) : ref.path;
  return short.includes("/") ? ref.path : short;
}

/** `busybox:latest`. */
export const familiarName = (ref: ImageReference): string => familiarRepository(ref) + suffix(ref);

/** Whether `text` is a whole, well-formed digest of a known algorithm. */
export function isDigest(text: string): boolean {
  const match = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([0-9a-f]+)$/.exec(text);
  return match !== null && digestLengths[match[1]!] === match[2]!.length;
}

function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf("/");
  if (slash < 0) return [defaultDomain, officialPrefix + text];
  const first = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  if (first === legacyDomain || first === defaultDomain) return [defaultDomain, rest.includes("/") ? rest : officialPrefix + rest];
  const isDomain = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  return isDomain ? [first, rest] : [defaultDomain, text];
}

function parseFull(text: string, domain: string): ImageReference {
  const match = referencePattern.exec(text);
  if (match === null) {
    if (referencePattern.test(text.toLowerCase())) throw invalid("invalid reference format: repository name must be lowercase");
    throw invalid("invalid reference format");
  }
  const [, name, tag, digest] = match;
  const path = name!.slice(domain.length + 1);
  if (path.length > repositoryCharsMax) throw invalid(`repository name must not be more than ${repositoryCharsMax} characters`);
  if (digest !== undefined) checkDigest(digest);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function checkDigest(digest: string): void {
  const length = digestLengths[digest.slice(0, digest.indexOf(":"))];
  if (length === undefined) throw invalid("unsupported digest algorithm");
  if (digest.length - digest.indexOf(":") - 1 !== length) throw invalid("invalid checksum digest length");
  if (!isDigest(digest)) throw invalid("invalid checksum digest format");
}

const suffix = (ref: ImageReference): string => (ref.tag === undefined ? "" : `:${ref.tag}`) + (ref.digest === undefined ? "" : `@${ref.digest}`);

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
