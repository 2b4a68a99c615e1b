import { AT, errno, type Name, O, O_NOFOLLOW, nameOf, pathOf, STATX, statxBytes, sys } from "./libc.ts";
import { goneStat, holdsAttributes, type Node, seenIn, textOf } from "./node.ts";
import { formatOwnership, hostMode, type Ownership, ownerAttribute, parseOwnership, shownMode } from "./ownership.ts";
import { S, statOf, writeAttributes } from "./protocol.ts";

export const rootId = 1;
const ownerName = nameOf(ownerAttribute);
/** Longer than any ownership is. */
const ownerBytesMax = 64;

/**
 * The files of one share that the kernel knows of, each by one descriptor of O_PATH, and who owns them. With `keepsOwners` all files
 * belong to one user on the host, and what containers say of owners and special modes is kept in an extended attribute; without, the
 * share has owners of its own.
 */
export class Nodes {
  readonly keepsOwners: boolean;
  readonly #byId = new Map<number, Node>();
  readonly #byKey = new Map<string, Node>();
  readonly #stat = Buffer.alloc(statxBytes);
  readonly #other = Buffer.alloc(statxBytes);
  readonly #value = Buffer.alloc(ownerBytesMax);
  #last = rootId;
  /** What `#stat` is of, if that is as it is now. */
  #seen: Node | undefined;

  constructor(root: number, keepsOwners: boolean) {
    this.keepsOwners = keepsOwners;
    const failed = sys.statx(root, this.#stat);
    if (failed < 0) throw new Error(`the shared folder cannot be looked at: errno ${-failed}`);
    this.#add({ id: rootId, fd: root, known: 1 });
  }

  get(id: number): Node {
    const node = this.#byId.get(id);
    if (node === undefined) throw new Error(`the kernel names file ${id}, which it has forgotten`);
    return node;
  }

  #add({ id, fd, known }: { id: number; fd: number; known: number }): Node {
    const node: Node = {
      id,
      fd,
      key: statOf.key(this.#stat),
      known,
      open: 0,
      backing: 0,
      owner: undefined,
      children: new Map(),
      ...seenIn(this.#stat),
    };
    this.#byId.set(id, node);
    this.#byKey.set(node.key, node);
    return node;
  }

  /** The file `name` in `parent`, known once more; minus errno where there is none. */
  find(parent: Node, name: Name): Node | number {
    return this.#findKnown(parent, name) ?? this.#findNew(parent, name);
  }

  /** Where a name still stands for the file that it did, a look at it is all that it takes. */
  #findKnown(parent: Node, name: Name): Node | undefined {
    const node = parent.children.get(textOf(name));
    if (node === undefined || node.ghost !== undefined || sys.statxAt(parent.fd, name, this.#stat) < 0) return undefined;
    if (this.#byKey.get(statOf.key(this.#stat)) !== node || sys.statx(node.fd, this.#other) < 0) return undefined;
    return this.#found(node);
  }

  #found(node: Node): Node {
    Object.assign(node, seenIn(this.#stat));
    this.#seen = node;
    node.known += 1;
    return node;
  }

  #findNew(parent: Node, name: Name): Node | number {
    const fd = sys.openat(parent.fd, name, O.PATH | O_NOFOLLOW | O.CLOEXEC, 0);
    if (fd < 0) return fd;
    const failed = sys.statx(fd, this.#stat);
    if (failed < 0) {
      sys.close(fd);
      return failed;
    }
    let node = this.#byKey.get(statOf.key(this.#stat));
    // The number of a file that is gone may be another one's by now.
    if (node === undefined || sys.statx(node.fd, this.#other) < 0) node = this.#add({ id: (this.#last += 1), fd, known: 0 });
    else sys.close(fd);
    this.named(this.#found(node), parent, textOf(name));
    return node;
  }

  /** The file `name` that was just made in `parent`, whose owner and mode are these. */
  made(parent: Node, name: Name, owner: { uid: number; gid: number; mode?: number }): Node | number {
    const node = this.find(parent, name);
    if (typeof node === "number") return node;
    node.owner ??= null;
    const failed = this.own(node, owner);
    if (failed === 0) return node;
    this.forget(node.id, 1);
    return failed;
  }

  /** A file of this type that is gone, told of once more so that the kernel can delete it. */
  ghost(parent: Node, name: Name, type: number): Node {
    const left = parent.children.get(textOf(name));
    if (left !== undefined) {
      // Under another name it may be there still. One that is nowhere any more cannot be looked at: virtiofsd finds files by their handles.
      if (left.ghost === undefined && this.#see(left) < 0) left.ghost = left.mode & S.IFMT;
      left.known += 1;
      return left;
    }
    const node: Node = {
      id: (this.#last += 1),
      fd: -1,
      key: "",
      known: 1,
      open: 0,
      backing: 0,
      owner: null,
      ghost: type,
      children: new Map(),
      mode: type | 0o700,
      uid: 0,
      gid: 0,
    };
    this.#byId.set(node.id, node);
    return node;
  }

  /** `node` has this name now. */
  named(node: Node, parent: Node, name: string): void {
    const { at } = node;
    if (at?.parent === parent && at.name === name && parent.children.get(name) === node) return;
    if (at !== undefined && at.parent.children.get(at.name) === node) at.parent.children.delete(at.name);
    node.at = { parent, name };
    parent.children.set(name, node);
  }

  forget(id: number, times: number): void {
    const node = this.#byId.get(id);
    if (node === undefined || id === rootId) return;
    node.known -= times;
    if (node.known > 0) return;
    this.#byId.delete(id);
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key);
    const { at } = node;
    if (at?.parent.children.get(at.name) === node) at.parent.children.delete(at.name);
    if (node.fd >= 0) sys.close(node.fd);
  }

  /** At the beginning of each request: what was seen for the one before may be different by now. */
  unsee(): void {
    this.#seen = undefined;
  }

  /** Looks at `node` as it is on the share, once a request; 0, or minus errno. */
  #see(node: Node, flags = 0): number {
    if (this.#seen === node && flags === 0) return 0;
    this.#seen = undefined;
    const failed = sys.statx(node.fd, this.#stat, flags);
    if (failed < 0) return failed;
    Object.assign(node, seenIn(this.#stat));
    this.#seen = node;
    return 0;
  }

  /** Its mode and owner alone, which after a write need no way to the host; 0, or minus errno. */
  #seeOwner(node: Node): number {
    if (this.#seen === node) return 0;
    const failed = sys.statx(node.fd, this.#other, 0, STATX.TYPE_MODE_OWNER);
    if (failed === 0) Object.assign(node, seenIn(this.#other));
    return failed;
  }

  /** What the host has changed of it is known to the guest at once. */
  refresh = (node: Node): number => (node.fd < 0 ? 0 : this.#see(node, AT.STATX_FORCE_SYNC));

  /** Writes `struct fuse_attr`; 0, or minus errno. */
  writeAttributes(node: Node, out: Buffer, at: number): number {
    const failed = node.ghost === undefined ? this.#see(node) : 0;
    if (failed < 0) return failed;
    const owner = this.#ownerOf(node);
    const stat = node.ghost === undefined ? this.#stat : goneStat(node.id);
    writeAttributes(out, at, stat, owner?.uid ?? node.uid, owner?.gid ?? node.gid, shownMode(node.mode, owner));
    return 0;
  }

  /** The mode that containers see, with the file's type, as of when it was last looked at. */
  mode = (node: Node): number => shownMode(node.mode, this.#ownerOf(node));

  /** Whose group what is made in `folder` is of, whoever makes it. */
  groupFor(folder: Node): number | undefined {
    return (this.mode(folder) & 0o2000) === 0 ? undefined : (this.#ownerOf(folder)?.gid ?? folder.gid);
  }

  /** Who owns `node`, as containers have said. */
  #ownerOf(node: Node): Ownership | undefined {
    if (node.owner !== undefined) return node.owner ?? undefined;
    node.owner = null;
    if (!this.keepsOwners || !holdsAttributes(node.mode)) return undefined;
    const length = sys.getxattr(pathOf(node.fd), ownerName, this.#value, ownerBytesMax);
    if (length > 0) node.owner = parseOwnership(this.#value.toString("latin1", 0, length)) ?? null;
    return node.owner ?? undefined;
  }

  /**
   * Gives `node` an owner and a mode (without its type). On files that hold no attributes (symbolic links, sockets, a file system that
   * has none) an owner is remembered as long as the kernel knows of the file. 0, or minus errno.
   */
  own(node: Node, change: { uid?: number | undefined; gid?: number | undefined; mode?: number | undefined }): number {
    const seen = this.#seeOwner(node);
    if (seen < 0) return seen;
    const type = node.mode & S.IFMT;
    const before = this.#ownerOf(node);
    const [uid, gid] = [change.uid ?? before?.uid ?? node.uid, change.gid ?? before?.gid ?? node.gid];
    const mode = change.mode ?? shownMode(node.mode, before) & 0o7777;
    const host = this.keepsOwners ? hostMode(mode, type === S.IFDIR) : mode;
    const isOwn = uid === node.uid && gid === node.gid;
    if (!this.keepsOwners && !isOwn) {
      this.unsee();
      const failed = sys.chown(node.fd, "", uid, gid, AT.EMPTY_PATH);
      if (failed < 0) return failed;
    }
    if (type !== S.IFLNK && (host !== (node.mode & 0o7777) || (!this.keepsOwners && !isOwn))) {
      this.unsee();
      const failed = sys.chmod(pathOf(node.fd), host);
      if (failed < 0) return failed;
      node.mode = type | host;
    }
    if (!this.keepsOwners || (before === undefined && isOwn && host === mode)) return 0;
    return this.#remember(node, { uid, gid, ...(host === mode ? {} : { mode }) });
  }

  #remember(node: Node, owner: Ownership): number {
    const text = formatOwnership(owner);
    if (node.owner && text === formatOwnership(node.owner)) return 0;
    if (holdsAttributes(node.mode)) {
      this.unsee();
      const value = Buffer.from(text);
      const failed = sys.setxattr(pathOf(node.fd), ownerName, value, value.length, 0);
      if (failed < 0 && failed !== -(errno["EOPNOTSUPP"] ?? 0) && failed !== -(errno["EPERM"] ?? 0)) return failed;
    }
    node.owner = owner;
    return 0;
  }

  /** Lets the host's user do with `node` what the guest's kernel has allowed: `bits` of its owner's part of the mode. */
  open(node: Node, bits: number): number {
    if (!this.keepsOwners || (node.mode & bits) === bits) return 0;
    const failed = this.own(node, { mode: this.mode(node) & 0o7777 });
    // Another user's on the host: what can be done with it shows when it is done.
    return failed === -(errno["EPERM"] ?? 0) ? 0 : failed;
  }
}
