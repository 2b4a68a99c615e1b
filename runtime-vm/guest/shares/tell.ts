import type { FileChange } from "#link/calls.ts";
import type { Deeds } from "./deeds.ts";
import { AT, type Name, nameOf, O, O_DIRECTORY, O_NOFOLLOW, pathOf, sys } from "./libc.ts";
import { EXPIRE_ONLY, NOTIFY_INVAL_ENTRY, S } from "./protocol.ts";
import { question, removedHere, replaying } from "./replay.ts";

/** A share as the guest's programs see it. */
export interface Mounted {
  readonly device: number;
  readonly path: string;
  readonly flag: Int32Array;
  readonly deeds: Deeds;
}

/** A change, and where it was: `folder` is the folder it was in, open. */
interface Told extends FileChange {
  readonly share: Mounted;
  readonly folder: number;
  readonly name: Name;
}

/** A name of the file system has at most 255 bytes, so has a question. */
const questionBytesMax = 255;

/**
 * Goes through what the host has done, as a program of the guest would have: its watchers hear of files that came, went, were renamed or
 * changed. What containers did themselves is left out. To be called from the process's first thread only, by whose number the share's
 * threads know it (replay.ts).
 */
export class Teller {
  readonly #shares: readonly Mounted[];

  constructor(shares: readonly Mounted[]) {
    this.#shares = shares;
  }

  /** A file that went and one that came in the same call, and are one, were renamed. */
  tell(changes: readonly FileChange[]): void {
    const folders = new Map<string, number>();
    try {
      const told = changes.flatMap((change) => this.#place(change, folders));
      const gone = told.filter(({ what }) => what === "gone").flatMap(numbered);
      const moved: string[] = [];
      for (const change of told) {
        if (change.what !== "came") continue;
        // What is in a folder that was renamed came with it.
        if (moved.some((folder) => change.path.startsWith(folder))) continue;
        const from = gone.findIndex((one) => one.share === change.share && one.number === change.number);
        const [was] = from < 0 ? [] : gone.splice(from, 1);
        if (was !== undefined) moved.push(`${change.path}/`);
        this.#come(change, was);
      }
      for (const change of gone) replay(change, () => sys.unlinkat(change.folder, change.name, change.type === "folder" ? AT.REMOVEDIR : 0));
      for (const change of told) if (change.what === "changed" && change.type === "file") modify(change);
    } finally {
      for (const folder of folders.values()) if (folder >= 0) sys.close(folder);
    }
  }

  #come(change: Told, was: Told | undefined): void {
    forget(change);
    replay(change, () => (was === undefined ? make(change) : sys.renameat2(was.folder, was.name, change.folder, change.name, 0)));
  }

  /** Nothing when a container did it, when it was in no share, or when its folder is gone by now. */
  #place(change: FileChange, folders: Map<string, number>): readonly Told[] {
    const { path, what, number, agoMs } = change;
    const share = this.#shares.find((one) => path.startsWith(`${one.path}/`));
    if (share === undefined || share.deeds.take(number, what === "came" ? "made" : what === "gone" ? "removed" : "written", agoMs)) return [];
    const slash = path.lastIndexOf("/");
    const at = path.slice(0, slash);
    const folder = folders.get(at) ?? openFolder(share, at);
    folders.set(at, folder);
    return folder < 0 ? [] : [{ ...change, share, folder, name: nameOf(path.slice(slash + 1)) }];
  }
}

function openFolder(share: Mounted, path: string): number {
  const root = sys.open(share.path, O.PATH | O_DIRECTORY);
  if (root < 0 || path === share.path) return root;
  const folder = sys.openBeneath(root, path.slice(share.path.length + 1), O.PATH | O_DIRECTORY);
  sys.close(root);
  return folder;
}

function replay({ share, type }: Told, act: () => unknown): void {
  Atomics.store(share.flag, 0, type === "folder" ? replaying.folder : replaying.file);
  try {
    act();
  } finally {
    Atomics.store(share.flag, 0, replaying.no);
  }
}

/** The act by which the kernel tells its watchers that a file came; the share's thread has it change nothing. */
function make({ folder, name, type }: Told): void {
  if (type === "folder") sys.mkdirat(folder, name, 0o700);
  else if (type === "link") sys.symlinkat(nameOf("."), folder, name);
  else if (type === "other") sys.mknodat(folder, name, S.IFIFO, 0);
  else {
    const fd = sys.openat(folder, name, O.RDONLY | O.CREAT | O_NOFOLLOW | O.CLOEXEC, 0o600);
    if (fd >= 0) sys.close(fd);
  }
}

/** Opened to be written to, where that can be, so that who waits for a file to be written is told, too. */
function modify({ folder, name }: Told): void {
  const written = sys.openat(folder, name, O.WRONLY | O_NOFOLLOW | O.CLOEXEC | O.NONBLOCK, 0);
  const fd = written < 0 ? sys.openat(folder, name, O.RDONLY | O_NOFOLLOW | O.CLOEXEC | O.NONBLOCK, 0) : written;
  if (fd < 0) return;
  sys.utimens(AT.FDCWD, pathOf(fd), modifiedNow, 0);
  sys.close(fd);
}

/** The kernel asks for this name anew. */
function forget({ share, folder, name }: Told): void {
  const id = Buffer.alloc(8);
  if (sys.getxattr(pathOf(folder), nameOf(question.node), id, id.length) !== id.length) return;
  const notice = Buffer.alloc(16 + 16 + name.length);
  notice.writeUInt32LE(notice.length, 0);
  notice.writeInt32LE(NOTIFY_INVAL_ENTRY, 4);
  id.copy(notice, 16);
  notice.writeUInt32LE(name.length - 1, 24);
  notice.writeUInt32LE(EXPIRE_ONLY, 28);
  notice.set(name, 32);
  sys.write(share.device, notice, notice.length);
}

/** With its number: the host may never have looked at it, the guest has if it knew it. Nothing when a container removed it. */
function numbered(gone: Told): readonly Told[] {
  if (gone.number !== undefined) return [gone];
  const asked = Buffer.concat([Buffer.from(question.number), gone.name]);
  if (asked.length > questionBytesMax) return [gone];
  const answer = Buffer.alloc(8);
  const length = sys.getxattr(pathOf(gone.folder), asked, answer, answer.length);
  if (length === removedHere.length) return [];
  return [length === answer.length ? { ...gone, number: String(answer.readBigUInt64LE()) } : gone];
}

/** struct timespec[2]: UTIME_OMIT, and UTIME_NOW. The time of writing alone is what the kernel takes for a change of the content. */
const modifiedNow = Buffer.alloc(32);
modifiedNow.writeUInt32LE(0x3ffffffe, 8);
modifiedNow.writeUInt32LE(0x3fffffff, 24);
