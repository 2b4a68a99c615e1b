import { EngineError } from "#base/errors.ts";
import type { IdentityMap, IdRange } from "./identity.ts";

/** Reads a file of the host; "" when there is none. */
type HostFile = (path: string) => string;

/** What `userns-remap` says when it names nobody: the user that dockerd makes for it, or else ids that nobody has. */
const defaultUser = "dockremap";
const defaultRange = { first: 100_000, size: 65_536 } as const;

/**
 * The map that `userns-remap` asks for: the ranges which /etc/subuid and /etc/subgid give to its user (subuid(5)), one after the other
 * from 0 on. `user`, `uid`, each with `:group` or `:gid`, or `default`. Undefined for root, who stays who he is.
 */
export function remappedRoot(remap: string, file: HostFile): IdentityMap | undefined {
  const parts = remap.split(":");
  if (parts.length > 2) throw bad(`Invalid user/group specification in --userns-remap: ${JSON.stringify(remap)}`);
  const name = parts[0] === "default" ? defaultUser : (parts[0] ?? "");
  if (parts[0] === "default" && !hasRanges(file("/etc/subuid"), name)) return unusedRange(file);
  const user = userNamed(name, file("/etc/passwd"));
  checkGroup(user.name, parts[1], file("/etc/group"));
  if (user.name === "root") return undefined;
  return { uid: rangesOf(user, file("/etc/subuid"), "subuid"), gid: rangesOf(user, file("/etc/subgid"), "subgid") };
}

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);

interface User {
  readonly name: string;
  readonly uid: string;
}

const fieldsOf = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"))
    .map((line) => line.trim().split(":"));

function userNamed(name: string, passwd: string): User {
  const numeric = /^\d+$/.test(name);
  const found = fieldsOf(passwd).find(([login, , uid]) => (numeric ? uid === name : login === name));
  if (found !== undefined) return { name: found[0] ?? "", uid: found[2] ?? "" };
  const missing = `getent unable to find entry ${JSON.stringify(name)} in passwd database`;
  throw bad(numeric ? `Uid ${name} has no entry in /etc/passwd: ${missing}` : `Error during uid lookup for ${JSON.stringify(name)}: ${missing}`);
}

/** The group must be there, the user's own name where none is said; its ids are those that the user has. */
function checkGroup(user: string, asked: string | undefined, groups: string): void {
  const name = asked ?? user;
  const numeric = asked !== undefined && /^\d+$/.test(name);
  if (fieldsOf(groups).some(([group, , gid]) => (numeric ? gid === name : group === name))) return;
  const missing = `getent unable to find entry ${JSON.stringify(name)} in group database`;
  if (asked === undefined) throw bad(`Error during gid lookup for ${JSON.stringify(name)}: ${missing}`);
  throw bad(numeric ? `Gid ${name} has no entry in /etc/group: ${missing}` : `Error during groupname lookup for ${JSON.stringify(name)}: ${missing}`);
}

const hasRanges = (text: string, name: string): boolean => fieldsOf(text).some(([owner]) => owner === name);

function rangesOf({ name, uid }: User, text: string, what: "subuid" | "subgid"): IdRange[] {
  let container = 0;
  const ranges = fieldsOf(text)
    .filter(([owner]) => owner === name || owner === uid)
    .map(([, first, count]) => {
      const range = { container, host: Number(first), size: Number(count) };
      if (!Number.isInteger(range.host) || !(range.size > 0)) throw bad(`cannot parse /etc/${what} for user ${JSON.stringify(name)}: ${first}:${count}`);
      container += range.size;
      return range;
    });
  if (ranges.length === 0) throw bad(`Can't create ID mappings: no ${what} ranges found for user ${JSON.stringify(name)}`);
  return ranges;
}

/** Behind everybody's ranges: nothing of this machine belongs to these ids, and no file is changed to say so. */
function unusedRange(file: HostFile): IdentityMap {
  const ends = ["/etc/subuid", "/etc/subgid"].flatMap((path) => fieldsOf(file(path)).map(([, first, count]) => Number(first) + Number(count)));
  const range = { container: 0, host: Math.max(defaultRange.first, ...ends.filter((end) => Number.isInteger(end))), size: defaultRange.size };
  return { uid: [range], gid: [range] };
}
