import { EngineError } from "#base/errors.ts";

/** A repository with what is wanted of it, as `REPOSITORY#REF:DIRECTORY` or `REPOSITORY?branch=...&subdir=...` say it. */
export interface GitAddress {
  readonly remote: string;
  /** "": what the repository's HEAD names. */
  readonly ref: string;
  /** "": the whole of it. */
  readonly subdir: string;
  /** Beginning of the commit that it must be. */
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
}

/** `user@host:path` of ssh. */
const scpLike = /^[\w.+-]+@[\w.-]+:(?!\/\/).+/;

/** Undefined where the text is no repository's address. The classic builder has no queries. */
export function gitAddress(text: string, flavor: "classic" | "buildkit" = "buildkit"): GitAddress | undefined {
  const [before = "", fragment = ""] = split(text, "#");
  const [place = "", query = ""] = flavor === "classic" ? [before] : split(before, "?");
  const remote = remoteOf(place);
  if (remote === undefined) return undefined;
  const [ref = "", subdir = ""] = split(fragment, ":");
  const plain: GitAddress = { remote, ref, subdir: subdir.replace(/^\/+|\/+$/g, ""), checksum: "", keepGitDir: undefined, submodules: true };
  return query === "" ? plain : withQuery(plain, new URLSearchParams(query));
}

function split(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function remoteOf(place: string): string | undefined {
  if (/^https?:\/\/.+\.git$/.test(place) || /^(git|ssh):\/\/./.test(place) || scpLike.test(place)) return place;
  return /^(github\.com|gitlab\.com)\/./.test(place) ? `https://${place}` : undefined;
}

function withQuery(plain: GitAddress, query: URLSearchParams): GitAddress {
  const refs = new Set(plain.ref === "" ? [] : [plain.ref]);
  let { subdir, checksum, keepGitDir, submodules } = plain;
  for (const [name, value] of query) {
    if (name === "ref") refs.add(value);
    else if (name === "tag") refs.add(`refs/tags/${value}`);
    else if (name === "branch") refs.add(`refs/heads/${value}`);
    else if (name === "subdir") subdir = value.replace(/^\/+|\/+$/g, "");
    else if (name === "checksum" || name === "commit") checksum = value;
    else if (name === "keep-git-dir") keepGitDir = truth(name, value);
    else if (name === "submodules") submodules = truth(name, value);
    else throw new EngineError("invalidArgument", `unexpected query ${JSON.stringify(name)}`);
  }
  const [ref = "", other] = refs;
  if (other !== undefined) throw new EngineError("invalidArgument", `ref conflicts: ${JSON.stringify(ref)} vs ${JSON.stringify(other)}`);
  return { ...plain, ref, subdir, checksum, keepGitDir, submodules };
}

function truth(name: string, value: string): boolean {
  if (["", "1", "true"].includes(value.toLowerCase())) return true;
  if (["0", "false"].includes(value.toLowerCase())) return false;
  throw new EngineError("invalidArgument", `invalid ${name} value: ${JSON.stringify(value)}`);
}
