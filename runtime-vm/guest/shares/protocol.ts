/** The kernel's side of /dev/fuse: include/uapi/linux/fuse.h, protocol 7.41. Numbers are little-endian on both architectures. */
export const op = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  RENAME2: 45,
} as const;

/** struct fuse_in_header, struct fuse_out_header, and where a node's number and attributes lie in struct fuse_entry_out. */
export const headerBytes = { request: 40, reply: 16 } as const;
export const entryBytes = 128;
export const attrBytes = { out: 104, at: 16, entryAt: 40 } as const;
/** A request holds at most this: names, or an extended attribute's value. What files hold never comes this way. */
export const requestBytesMax = 128 * 1024;

const INIT = {
  ASYNC_READ: 2 ** 0,
  BIG_WRITES: 2 ** 5,
  AUTO_INVAL_DATA: 2 ** 12,
  PARALLEL_DIROPS: 2 ** 18,
  HANDLE_KILLPRIV_V2: 2 ** 28,
  INIT_EXT: 2 ** 30,
} as const;
/** Of the second word of flags. */
const INIT2 = { PASSTHROUGH: 2 ** (37 - 32) } as const;
export const FATTR = { MODE: 1, UID: 2, GID: 4, SIZE: 8, ATIME: 16, MTIME: 32, ATIME_NOW: 128, MTIME_NOW: 256, KILL_SUIDGID: 2_048 } as const;
export const OPEN_KILL_SUIDGID = 1;
export const FOPEN_PASSTHROUGH = 1 << 7;
export const NOTIFY_INVAL_ENTRY = 3;
export const EXPIRE_ONLY = 1;
/** _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t). */
export const DEV_IOC = { BACKING_OPEN: 0x4010e501, BACKING_CLOSE: 0x4004e502 } as const;

export const S = { IFMT: 0o170000, IFDIR: 0o040000, IFREG: 0o100000, IFLNK: 0o120000, IFIFO: 0o010000 } as const;

/** Answers INIT; false where the kernel lacks what this needs. */
export function writeInit(body: Buffer, out: Buffer): boolean {
  const flags = body.readUInt32LE(12);
  const flags2 = (flags & INIT.INIT_EXT) === 0 ? 0 : body.readUInt32LE(16);
  out.fill(0, 0, 64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(41, 4);
  out.writeUInt32LE(body.readUInt32LE(8), 8);
  const wanted = INIT.ASYNC_READ | INIT.BIG_WRITES | INIT.AUTO_INVAL_DATA | INIT.PARALLEL_DIROPS | INIT.HANDLE_KILLPRIV_V2 | INIT.INIT_EXT;
  out.writeUInt32LE((flags & wanted) >>> 0, 12);
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(64 * 1024, 20);
  out.writeUInt32LE(1, 24);
  out.writeUInt32LE((flags2 & INIT2.PASSTHROUGH) >>> 0, 32);
  // How deep what lies below may be stacked itself: not at all.
  out.writeUInt32LE(1, 36);
  return (flags2 & INIT2.PASSTHROUGH) !== 0;
}
export const initBytes = 64;

export const readU64 = (from: Buffer, at: number): number => from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32;
export function writeU64(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 2 ** 32, at);
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** What of struct statx is asked for by itself. */
export const statOf = {
  nlink: (statx: Buffer): number => statx.readUInt32LE(16),
  uid: (statx: Buffer): number => statx.readUInt32LE(20),
  gid: (statx: Buffer): number => statx.readUInt32LE(24),
  mode: (statx: Buffer): number => statx.readUInt16LE(28),
  /** Tells one file from another while both are there. */
  key: (statx: Buffer): string => statx.toString("latin1", 32, 40) + statx.toString("latin1", 136, 144),
} as const;

/** struct fuse_attr out of struct statx, with another owner and mode. */
export function writeAttributes(out: Buffer, at: number, statx: Buffer, uid: number, gid: number, mode: number): void {
  for (const [from, to] of [
    [32, 0],
    [40, 8],
    [48, 16],
    [64, 24],
    [112, 32],
    [96, 40],
  ] as const)
    statx.copy(out, at + to, from, from + 8);
  statx.copy(out, at + 48, 72, 76);
  statx.copy(out, at + 52, 120, 124);
  statx.copy(out, at + 56, 104, 108);
  out.writeUInt32LE(mode, at + 60);
  out.writeUInt32LE(statOf.nlink(statx), at + 64);
  out.writeUInt32LE(uid, at + 68);
  out.writeUInt32LE(gid, at + 72);
  const [major, minor] = [statx.readUInt32LE(128), statx.readUInt32LE(132)];
  out.writeUInt32LE(((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, at + 76);
  out.writeUInt32LE(statx.readUInt32LE(4), at + 80);
  out.writeUInt32LE(0, at + 84);
}
