import { S } from "./protocol.ts";

/**
 * Who owns a file, and its mode, where a container has said so: the file itself belongs to the user of the host whatever happens,
 * and has this beside it as an extended attribute. `mode` only where it is not the file's own, which is then `hostMode(mode)`.
 */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode?: number;
}

export const ownerAttribute = "user.slipway.owner";

/** `UID:GID` or `UID:GID:MODE`, the mode in octal. */
export const formatOwnership = ({ uid, gid, mode }: Ownership): string => `${uid}:${gid}${mode === undefined ? "" : `:${mode.toString(8)}`}`;

/** Undefined for what is none: anybody on the host may write what they want there. */
export function parseOwnership(text: string): Ownership | undefined {
  const match = /^(\d{1,10}):(\d{1,10})(?::([0-7]{1,4}))?$/.exec(text);
  if (match === null) return undefined;
  const [uid, gid] = [Number(match[1]), Number(match[2])];
  if (uid >= 2 ** 32 - 1 || gid >= 2 ** 32 - 1) return undefined;
  return { uid, gid, ...(match[3] === undefined ? {} : { mode: Number.parseInt(match[3], 8) }) };
}

/**
 * The mode a file has on the host so that its owner there, as whom all of the guest comes, can do what the guest's kernel allows; no
 * program that a container makes runs there as somebody else than who starts it.
 */
export const hostMode = (mode: number, isDirectory: boolean): number => (mode & 0o1777) | (isDirectory ? 0o700 : 0o600);

/** The mode that containers see: what is remembered, unless the host has set another one since. `mode` with the file's type. */
export function shownMode(mode: number, owner: Ownership | undefined): number {
  const isDirectory = (mode & S.IFMT) === S.IFDIR;
  if (owner?.mode === undefined || hostMode(owner.mode, isDirectory) !== (mode & 0o7777)) return mode;
  return (mode & S.IFMT) | owner.mode;
}
