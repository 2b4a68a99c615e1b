import { attributeHandlers } from "./attributes.ts";
import { OpenFiles } from "./files.ts";
import { folderHandlers } from "./folders.ts";
import { AT, O, pathOf, sys } from "./libc.ts";
import { type Node, textOf } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import { hostMode } from "./ownership.ts";
import { attrBytes, entryBytes, FATTR, op, readU64, S, writeU64 } from "./protocol.ts";
import type { Replay } from "./replay.ts";
import { type Handler, no, type Request } from "./request.ts";

/** How long the kernel may take a name and its attributes as they were, in seconds: as long as virtiofs itself does. */
const validSeconds = 1;
const UTIME = { NOW: 0x3fffffff, OMIT: 0x3ffffffe } as const;

/**
 * Answers the kernel's requests for one share, each at once: `handle` writes the answer's body into `out` and returns its length, or
 * minus errno. What is in files never comes here: the kernel reads and writes it in the share itself (FUSE passthrough).
 */
export class ShareServer {
  readonly #nodes: Nodes;
  readonly #replay: Replay;
  readonly #files: OpenFiles;
  readonly #handlers: ReadonlyMap<number, Handler>;

  constructor(device: number, nodes: Nodes, replay: Replay) {
    this.#nodes = nodes;
    this.#replay = replay;
    this.#files = new OpenFiles(device, nodes, replay);
    this.#handlers = new Map<number, Handler>([
      ...this.#files.handlers,
      ...folderHandlers(nodes),
      ...attributeHandlers(nodes, replay),
      [op.LOOKUP, (request, out) => this.#lookup(request, out)],
      [op.GETATTR, ({ node }, out) => this.#attributes(node, out)],
      [op.SETATTR, (request, out) => this.#setAttributes(request, out)],
      [op.READLINK, ({ node }, out) => sys.readlink(node.fd, "", out, out.length)],
      [op.SYMLINK, (request, out) => this.#symlink(request, out)],
      [op.MKNOD, (request, out) => this.#mknod(request, out)],
      [op.MKDIR, (request, out) => this.#mkdir(request, out)],
      [op.CREATE, (request, out) => this.#create(request, out)],
      [op.UNLINK, (request) => this.#remove(request, 0)],
      [op.RMDIR, (request) => this.#remove(request, AT.REMOVEDIR)],
      [op.RENAME, (request) => this.#rename(request, 8, 0)],
      [op.RENAME2, (request) => this.#rename(request, 16, request.body.readUInt32LE(8))],
      [op.LINK, (request, out) => this.#link(request, out)],
      [op.STATFS, statfs],
    ]);
  }

  /** Undefined: nobody waits for an answer. */
  handle(opcode: number, request: Omit<Request, "node"> & { readonly id: number }, out: Buffer): number | undefined {
    const { id, body } = request;
    this.#nodes.unsee();
    if (opcode === op.FORGET) {
      this.#nodes.forget(id, readU64(body, 0));
      return undefined;
    }
    if (opcode === op.BATCH_FORGET) {
      for (let i = 0; i < body.readUInt32LE(0); i += 1) this.#nodes.forget(readU64(body, 8 + i * 16), readU64(body, 16 + i * 16));
      return undefined;
    }
    const handler = this.#handlers.get(opcode);
    return handler === undefined ? no("ENOSYS") : handler({ ...request, node: this.#nodes.get(id) }, out);
  }

  #lookup({ node: parent, body: name, pid }: Request, out: Buffer): number {
    const node = this.#nodes.find(parent, name);
    const told = this.#replay.lookup(pid, parent, name, node);
    return typeof told === "number" ? told : this.#entry(told, out);
  }

  #entry(node: Node, out: Buffer): number {
    writeU64(out, node.id, 0);
    out.fill(0, 8, attrBytes.entryAt);
    writeU64(out, validSeconds, 16);
    writeU64(out, validSeconds, 24);
    const failed = this.#nodes.writeAttributes(node, out, attrBytes.entryAt);
    if (failed === 0) return entryBytes;
    this.#nodes.forget(node.id, 1);
    return failed;
  }

  #attributes(node: Node, out: Buffer): number {
    out.fill(0, 0, attrBytes.at);
    writeU64(out, validSeconds, 0);
    const failed = this.#nodes.writeAttributes(node, out, attrBytes.at);
    return failed < 0 ? failed : attrBytes.out;
  }

  #setAttributes({ node, body, pid }: Request, out: Buffer): number {
    // The host has changed it already.
    if (this.#replay.isBy(pid)) return this.#nodes.refresh(node) || this.#attributes(node, out);
    const valid = body.readUInt32LE(0);
    const is = (bit: number): boolean => (valid & bit) !== 0;
    const own = {
      uid: is(FATTR.UID) ? body.readUInt32LE(76) : undefined,
      gid: is(FATTR.GID) ? body.readUInt32LE(80) : undefined,
      mode: is(FATTR.MODE) ? body.readUInt32LE(68) & 0o7777 : is(FATTR.KILL_SUIDGID) ? this.#files.withoutSpecial(node) : undefined,
    };
    const failed =
      (is(FATTR.SIZE) ? this.#nodes.open(node, 0o200) || sys.truncate(pathOf(node.fd), readU64(body, 16)) : 0) ||
      (Object.values(own).some((value) => value !== undefined) ? this.#nodes.own(node, own) : 0) ||
      (is(FATTR.ATIME | FATTR.MTIME) ? sys.utimens(AT.FDCWD, pathOf(node.fd), timesOf(valid, body), 0) : 0);
    if (failed < 0) return failed;
    this.#nodes.unsee();
    if (is(FATTR.SIZE | FATTR.MTIME)) this.#replay.done(node, "written");
    return this.#attributes(node, out);
  }

  #symlink({ node: parent, body, uid, gid, pid }: Request, out: Buffer): number {
    const target = body.subarray(body.indexOf(0) + 1);
    if (this.#replay.isBy(pid)) return this.#told(parent, body, out);
    const failed = this.#nodes.open(parent, 0o300) || sys.symlinkat(target, parent.fd, body);
    return failed < 0 ? failed : this.#made(parent, body, { uid, gid }, out);
  }

  #mknod({ node: parent, body, uid, gid, pid }: Request, out: Buffer): number {
    const mode = body.readUInt32LE(0);
    const name = body.subarray(16);
    if (this.#replay.isBy(pid)) return this.#told(parent, name, out);
    const failed = this.#make(parent, name, mode, body.readUInt32LE(4));
    return failed < 0 ? failed : this.#made(parent, name, { uid, gid, mode: mode & 0o7777 }, out);
  }

  #mkdir({ node: parent, body, uid, gid, pid }: Request, out: Buffer): number {
    const name = body.subarray(8);
    if (this.#replay.isBy(pid)) return this.#told(parent, name, out);
    const mode = body.readUInt32LE(0) & 0o7777;
    const failed = this.#nodes.open(parent, 0o300) || sys.mkdirat(parent.fd, name, this.#nodes.keepsOwners ? hostMode(mode, true) : mode);
    const inherited = this.#nodes.mode(parent) & 0o2000;
    return failed < 0 ? failed : this.#made(parent, name, { uid, gid, mode: mode | inherited }, out);
  }

  #make(parent: Node, name: Buffer, mode: number, device: number): number {
    const host = this.#nodes.keepsOwners ? (mode & S.IFMT) | hostMode(mode, false) : mode;
    return this.#nodes.open(parent, 0o300) || sys.mknodat(parent.fd, name, host, device);
  }

  /** What a container has made. In a folder with the set-group-ID bit it is of the folder's group. */
  #made(parent: Node, name: Buffer, { uid, gid, mode }: { uid: number; gid: number; mode?: number }, out: Buffer): number {
    const group = this.#nodes.groupFor(parent) ?? gid;
    const node = this.#nodes.made(parent, name, { uid, gid: group, ...(mode === undefined ? {} : { mode }) });
    if (typeof node === "number") {
      // Without its owner it would be somebody else's.
      if (sys.unlinkat(parent.fd, name, 0) < 0) sys.unlinkat(parent.fd, name, AT.REMOVEDIR);
      return node;
    }
    this.#replay.done(node, "made");
    return this.#entry(node, out);
  }

  /** What the host has made, as if it were made now. */
  #told(parent: Node, name: Buffer, out: Buffer): number {
    const node = this.#nodes.find(parent, name);
    return typeof node === "number" ? node : this.#entry(node, out);
  }

  #remove({ node: parent, body: name, pid }: Request, flags: number): number {
    if (this.#replay.isBy(pid)) return this.#replay.remove(parent, name);
    const failed = this.#nodes.open(parent, 0o300) || sys.unlinkat(parent.fd, name, flags);
    if (failed < 0) return failed;
    this.#replay.removed(parent.children.get(textOf(name)), parent, textOf(name));
    parent.children.delete(textOf(name));
    return 0;
  }

  #rename({ node: parent, body, pid }: Request, namesAt: number, flags: number): number {
    const to = this.#nodes.get(readU64(body, 0));
    const from = body.subarray(namesAt);
    const name = from.subarray(from.indexOf(0) + 1);
    const isReplay = this.#replay.isBy(pid);
    const failed = isReplay ? 0 : this.#nodes.open(parent, 0o300) || this.#nodes.open(to, 0o300) || sys.renameat2(parent.fd, from, to.fd, name, flags);
    if (failed < 0) return failed;
    const [moved, other] = [parent.children.get(textOf(from)), to.children.get(textOf(name))];
    parent.children.delete(textOf(from));
    if (moved !== undefined) this.#nodes.named(moved, to, textOf(name));
    const isExchange = (flags & 2) !== 0;
    if (isExchange && other !== undefined) this.#nodes.named(other, parent, textOf(from));
    if (isReplay) return 0;
    // Under the one name it went, under the other it came.
    this.#replay.removed(moved, parent, textOf(from));
    this.#replay.done(moved, "made");
    if (isExchange) this.#replay.done(other, "made");
    return 0;
  }

  #link({ node: parent, body }: Request, out: Buffer): number {
    const node = this.#nodes.get(readU64(body, 0));
    const name = body.subarray(8);
    const failed = this.#nodes.open(parent, 0o300) || sys.link(AT.FDCWD, pathOf(node.fd), parent.fd, name, AT.SYMLINK_FOLLOW);
    if (failed < 0) return failed;
    this.#replay.done(node, "made");
    return this.#told(parent, name, out);
  }

  #create({ node: parent, body, uid, gid, pid }: Request, out: Buffer): number {
    const [flags, mode, openFlags] = [body.readUInt32LE(0), body.readUInt32LE(4) & 0o7777, body.readUInt32LE(12)];
    const name = body.subarray(16);
    const failed = this.#replay.isBy(pid) ? 0 : this.#make(parent, name, S.IFREG | mode, 0);
    // There by now, and anybody's who does not insist on making it.
    if (failed < 0 && (failed !== no("EEXIST") || (flags & O.EXCL) !== 0)) return failed;
    const length = failed < 0 || this.#replay.isBy(pid) ? this.#told(parent, name, out) : this.#made(parent, name, { uid, gid, mode }, out);
    if (length < 0) return length;
    const node = this.#nodes.get(readU64(out, 0));
    const opened = this.#files.open(node, { flags, openFlags, pid }, out, entryBytes);
    if (opened < 0) this.#nodes.forget(node.id, 1);
    return opened < 0 ? opened : entryBytes + opened;
  }
}

/** struct statfs to struct fuse_kstatfs. */
function statfs({ node }: Request, out: Buffer): number {
  const from = Buffer.alloc(128);
  const failed = sys.fstatfs(node.fd, from);
  if (failed < 0) return failed;
  out.fill(0, 0, 80);
  from.copy(out, 0, 16, 56);
  from.copy(out, 40, 8, 12);
  from.copy(out, 44, 64, 68);
  from.copy(out, 48, 72, 76);
  return 80;
}

/** struct timespec[2] of a SETATTR. */
function timesOf(valid: number, body: Buffer): Buffer {
  const times = Buffer.alloc(32);
  const put = (at: number, set: number, now: number, seconds: number, nanoseconds: number): void => {
    body.copy(times, at, seconds, seconds + 8);
    const ns = (valid & now) !== 0 ? UTIME.NOW : (valid & set) !== 0 ? body.readUInt32LE(nanoseconds) : UTIME.OMIT;
    writeU64(times, ns, at + 8);
  };
  put(0, FATTR.ATIME, FATTR.ATIME_NOW, 32, 56);
  put(16, FATTR.MTIME, FATTR.MTIME_NOW, 40, 60);
  return times;
}
