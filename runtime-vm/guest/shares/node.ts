import { type Name, statxBytes } from "./libc.ts";
import type { Ownership } from "./ownership.ts";
import { S, statOf } from "./protocol.ts";

/** A file that the kernel knows of. */
export interface Node {
  readonly id: number;
  /** What it is on the share, by a descriptor of O_PATH; -1 for one that is gone and is named for the last time. */
  readonly fd: number;
  readonly key: string;
  /** How often the kernel was told of it, and how many times it is open. */
  known: number;
  open: number;
  /** What the kernel reads and writes itself, while it is open. */
  backing: number;
  /** Undefined: not asked for yet. Null: there is none. */
  owner: Ownership | null | undefined;
  /** Its mode and owner on the share when they were last seen: asking each time would cost a way to the host and back. */
  mode: number;
  uid: number;
  gid: number;
  /** What one that is gone was. */
  ghost?: number;
  /** Its last name, the other way round of `children`. */
  at?: { readonly parent: Node; readonly name: string };
  readonly children: Map<string, Node>;
}

/** Of struct statx. */
export const seenIn = (stat: Buffer): { mode: number; uid: number; gid: number } => ({ mode: statOf.mode(stat), uid: statOf.uid(stat), gid: statOf.gid(stat) });

/** A name as a key of maps: each of its bytes a character. */
export const textOf = (name: Name): string =>
  (name instanceof Buffer ? name : Buffer.from(name.buffer, name.byteOffset, name.byteLength)).toString("latin1", 0, name.indexOf(0));

/** The kernel takes attributes of users on files and folders only. */
export const holdsAttributes = (mode: number): boolean => (mode & S.IFMT) === S.IFREG || (mode & S.IFMT) === S.IFDIR;

/** struct statx of a file that is gone. */
export function goneStat(id: number): Buffer {
  const stat = Buffer.alloc(statxBytes);
  stat.writeUInt32LE(1, 16);
  stat.writeUInt32LE(id, 32);
  return stat;
}
