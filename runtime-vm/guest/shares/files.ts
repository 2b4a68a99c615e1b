import { O, O_DIRECTORY, pathOf, sys } from "./libc.ts";
import type { Node } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import { DEV_IOC, FOPEN_PASSTHROUGH, OPEN_KILL_SUIDGID, op, readU64, S, writeU64 } from "./protocol.ts";
import type { Replay } from "./replay.ts";
import type { Handler } from "./request.ts";

const writing = O.WRONLY | O.RDWR;

/** Open files of one share: what is in them the kernel reads and writes itself, from and to what lies below (FUSE passthrough). */
export class OpenFiles {
  readonly #device: number;
  readonly #nodes: Nodes;
  readonly #replay: Replay;
  readonly handlers: readonly (readonly [number, Handler])[];

  constructor(device: number, nodes: Nodes, replay: Replay) {
    this.#device = device;
    this.#nodes = nodes;
    this.#replay = replay;
    this.handlers = [
      [op.OPEN, ({ node, body, pid }, out) => this.open(node, { flags: body.readUInt32LE(0), openFlags: body.readUInt32LE(4), pid }, out, 0)],
      [op.RELEASE, ({ node, body }) => this.#release(node, readU64(body, 0) === 1)],
      [op.FSYNC, ({ node, body }) => opened(node, O.RDONLY, (fd) => (body.readUInt32LE(8) & 1 ? sys.fdatasync(fd) : sys.fsync(fd)))],
      [op.FSYNCDIR, ({ node }) => opened(node, O.RDONLY | O_DIRECTORY, sys.fsync)],
      [op.FALLOCATE, ({ node, body }) => opened(node, O.RDWR, (fd) => sys.fallocate(fd, body.readUInt32LE(24), readU64(body, 8), readU64(body, 16)))],
    ];
  }

  /** `flags` are open(2)'s, `openFlags` FUSE's own; writes struct fuse_open_out at `at`. */
  open(node: Node, { flags, openFlags, pid }: { flags: number; openFlags: number; pid: number }, out: Buffer, at: number): number {
    const access = flags & O.ACCMODE;
    const isWriting = (access & writing) !== 0;
    const mode = (openFlags & OPEN_KILL_SUIDGID) !== 0 || isWriting ? this.withoutSpecial(node) : undefined;
    const failed =
      (mode === undefined ? 0 : this.#nodes.own(node, { mode })) ||
      this.#nodes.open(node, (access === O.WRONLY ? 0 : 0o400) | (isWriting ? 0o200 : 0)) ||
      this.#back(node);
    if (failed < 0) return failed;
    node.open += 1;
    const isWritten = isWriting && !this.#replay.isBy(pid);
    if (isWritten) this.#replay.done(node, "opened");
    // This number comes back when it is closed.
    writeU64(out, isWritten ? 1 : 0, at);
    out.writeUInt32LE(FOPEN_PASSTHROUGH, at + 8);
    out.writeInt32LE(node.backing, at + 12);
    return 16;
  }

  /** The mode of a program that somebody writes to: it runs as nobody else any more. Undefined when there is nothing to take from it. */
  withoutSpecial(node: Node): number | undefined {
    const shown = this.#nodes.mode(node);
    return (shown & 0o6000) === 0 || (shown & S.IFMT) !== S.IFREG ? undefined : shown & 0o1777;
  }

  /** All who have one file open go by one number for it: the kernel takes no second one. */
  #back(node: Node): number {
    if (node.open > 0) return 0;
    const map = Buffer.alloc(16);
    map.writeInt32LE(node.fd, 0);
    const backing = sys.ioctl(this.#device, DEV_IOC.BACKING_OPEN, map);
    if (backing < 0) return backing;
    node.backing = backing;
    return 0;
  }

  #release(node: Node, isWritten: boolean): number {
    if (isWritten) this.#replay.done(node, "closed");
    node.open -= 1;
    if (node.open > 0) return 0;
    const id = Buffer.alloc(4);
    id.writeInt32LE(node.backing);
    return sys.ioctl(this.#device, DEV_IOC.BACKING_CLOSE, id);
  }
}

function opened(node: Node, flags: number, act: (fd: number) => number): number {
  const fd = sys.open(pathOf(node.fd), flags);
  if (fd < 0) return fd;
  try {
    return act(fd);
  } finally {
    sys.close(fd);
  }
}
