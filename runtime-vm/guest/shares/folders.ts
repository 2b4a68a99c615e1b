import { O, O_DIRECTORY, pathOf, sys } from "./libc.ts";
import type { Nodes } from "./nodes.ts";
import { op, readU64, writeU64 } from "./protocol.ts";
import { type Handler, no } from "./request.ts";

/** Of struct linux_dirent64 the name begins here, of struct fuse_dirent there; both are whole multiples of eight bytes. */
const nameAt = { linux: 19, fuse: 24 } as const;

/** Reading folders, each by an open one of the share. */
export function folderHandlers(nodes: Nodes): readonly (readonly [number, Handler])[] {
  /** Where the next reading goes on without being told. */
  const places = new Map<number, bigint>();

  const open: Handler = ({ node }, out) => {
    const failed = nodes.open(node, 0o500);
    if (failed < 0) return failed;
    const fd = sys.open(pathOf(node.fd), O.RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    places.set(fd, 0n);
    writeU64(out, fd, 0);
    writeU64(out, 0, 8);
    return 16;
  };

  const read: Handler = ({ body }, out) => {
    const [fd, offset, size] = [readU64(body, 0), body.readBigInt64LE(8), Math.min(body.readUInt32LE(16), out.length)];
    const moved = places.get(fd) === offset ? 0 : sys.lseek(fd, offset, 0);
    if (moved < 0) return moved;
    // A third longer at most as the answer.
    const entries = Buffer.allocUnsafe(Math.max(512, Math.floor(size / 2)));
    const length = sys.getdents(fd, entries, entries.length);
    if (length < 0) return length;
    const { written, last } = convert(entries.subarray(0, length), out);
    places.set(fd, last ?? offset);
    return written;
  };

  const close: Handler = ({ body }) => {
    const fd = readU64(body, 0);
    return places.delete(fd) ? sys.close(fd) : no("EBADF");
  };

  return [
    [op.OPENDIR, open],
    [op.READDIR, read],
    [op.RELEASEDIR, close],
  ];
}

/** struct linux_dirent64 to struct fuse_dirent: how many bytes that makes, and where the last one says that reading goes on. */
function convert(entries: Buffer, out: Buffer): { written: number; last: bigint | undefined } {
  let written = 0;
  let last: bigint | undefined;
  for (let from = 0; from < entries.length; from += entries.readUInt16LE(from + 16)) {
    const name = entries.subarray(from + nameAt.linux, entries.indexOf(0, from + nameAt.linux));
    entries.copy(out, written, from, from + 16);
    out.writeUInt32LE(name.length, written + 16);
    out.writeUInt32LE(entries[from + 18] ?? 0, written + 20);
    name.copy(out, written + nameAt.fuse);
    const end = written + nameAt.fuse + name.length;
    written = (end + 7) & ~7;
    out.fill(0, end, written);
    last = entries.readBigInt64LE(from + 8);
  }
  return { written, last };
}
