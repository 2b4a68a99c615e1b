import { codeOf, EngineError } from "#base/errors.ts";
import type { Files } from "#core/kernel/kernel.ts";
import { closeSync, constants, fstatSync, readFileSync } from "node:fs";

/** Who a process runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group first, as dockerd sends it. */
  readonly additionalGids: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const idMax = 2 ** 31 - 1;
const accountFileBytesMax = 16 * 1024 * 1024;

/** A container's /etc/passwd and /etc/group, read inside its root only: a symbolic link out of it leads nowhere. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

export const readAccounts = (kernel: Pick<Files, "openInRoot">, rootfs: string): Accounts => ({
  passwd: readInRoot(kernel, rootfs, "/etc/passwd"),
  group: readInRoot(kernel, rootfs, "/etc/group"),
});

/** Resolves `user`, `user:group`, `uid`, `uid:gid` and the names of `--group-add`, with dockerd's rules and words. */
export function resolveUser(spec: string, groupAdd: readonly string[], accounts: Accounts): ResolvedUser {
  const [userPart, groupPart] = splitOnce(spec);
  const uidGiven = numeric(userPart);
  const entry = parsePasswd(accounts.passwd).find((each) =>
    userPart === "" ? each.uid === 0 : uidGiven !== undefined ? each.uid === uidGiven : each.name === userPart,
  );
  if (!entry && userPart !== "" && uidGiven === undefined) throw unknown(`unable to find user ${userPart}: no matching entries in passwd file`);
  const uid = inRange(entry?.uid ?? uidGiven ?? 0);
  const groups = parseGroup(accounts.group);
  let gid = entry?.gid ?? 0;
  let supplementary: number[] = [];
  if (groupPart !== "") gid = inRange(groupId(groupPart, groups, `unable to find group ${groupPart}`));
  else if (entry) supplementary = groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid);
  const added = groupAdd.map((name) => inRange(groupId(name, groups, `unable to find group ${name}`)));
  return { uid, gid, additionalGids: [gid, ...supplementary, ...added], home: entry?.home || "/" };
}

function groupId(given: string, groups: readonly GroupEntry[], failure: string): number {
  const number = numeric(given);
  const found = groups.find((group) => (number === undefined ? group.name === given : group.gid === number));
  if (found) return found.gid;
  if (number === undefined) throw unknown(`${failure}: no matching entries in group file`);
  return number;
}

function inRange(id: number): number {
  if (id < 0 || id > idMax) throw unknown(`uids and gids must be in range 0-${idMax}`);
  return id;
}

const unknown = (message: string): EngineError => new EngineError("invalidArgument", message);

const numeric = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined);

function splitOnce(spec: string): [string, string] {
  const colon = spec.indexOf(":");
  return colon < 0 ? [spec, ""] : [spec.slice(0, colon), spec.slice(colon + 1)];
}

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

function parsePasswd(text: string): PasswdEntry[] {
  return linesOf(text).map((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return { name, uid: numeric(uid) ?? 0, gid: numeric(gid) ?? 0, home };
  });
}

function parseGroup(text: string): GroupEntry[] {
  return linesOf(text).map((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return { name, gid: numeric(gid) ?? 0, members: members.split(",").filter((member) => member !== "") };
  });
}

function readInRoot(kernel: Pick<Files, "openInRoot">, rootfs: string, path: string): string {
  let fd: number;
  try {
    // Non-blocking: an image may have put a FIFO there.
    fd = kernel.openInRoot(rootfs, path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return "";
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return "";
    if (stat.size > accountFileBytesMax) throw unknown(`${path} of the container is ${stat.size} bytes long, the limit is ${accountFileBytesMax}`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}
