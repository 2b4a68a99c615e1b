import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as koffi from "koffi";

/**
 * The system calls of a file server, on descriptors and on the bytes of names as they come, which need not be UTF-8: a `Name` is a
 * buffer that ends with a zero byte. Every call is a blocking one, and answers with its result or with minus errno.
 */
export type Name = Uint8Array;

/** Bundled, koffi's addon lies beside the program; in a source tree it is where npm put it. */
function addon(): typeof koffi {
  const beside = join(import.meta.dirname, "koffi.node");
  const installed = `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  return createRequire(import.meta.url)(existsSync(beside) ? beside : installed) as typeof koffi;
}

const native = addon();
const libc = native.load("libc.so.6");
type Value = number | bigint | string | Uint8Array | null;

function bind<A extends Value[]>(name: string, result: "int" | "long", ...parameters: string[]): (...args: A) => number {
  const call = libc.func(name, result, parameters) as (...args: A) => number;
  return (...args) => {
    const value = call(...args);
    return value === -1 ? -native.errno() : value;
  };
}

/** syscall(2) is variadic in C, but reads its arguments from the registers of an ordinary call on x86-64 and arm64; so does openat. */
const raw = <A extends Value[]>(...parameters: string[]) => bind<[number, ...A]>("syscall", "long", "long", ...parameters);

export const errno = native.os.errno as Readonly<Record<string, number>>;
export const AT = { FDCWD: -100, SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, EMPTY_PATH: 0x1000, STATX_FORCE_SYNC: 0x2000 } as const;
export const O = { RDONLY: 0, WRONLY: 1, RDWR: 2, ACCMODE: 3, CREAT: 0o100, EXCL: 0o200, NONBLOCK: 0o4000, CLOEXEC: 0o2000000, PATH: 0o10000000 } as const;
/** Not the same on every architecture. */
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;

/** struct statx, and the fields of it that are used. */
export const statxBytes = 256;
export const STATX = { TYPE_MODE_OWNER: 0x1b, BASIC_STATS: 0x7ff } as const;
const RESOLVE = { NO_SYMLINKS: 0x04, BENEATH: 0x08 } as const;
const NR = { openat2: 437, getdents64: process.arch === "arm64" ? 61 : 217 } as const;

const statx = bind<[number, string, number, number, Uint8Array]>("statx", "int", "int", "str", "int", "uint", "void*");
const statxAt = bind<[number, Name, number, number, Uint8Array]>("statx", "int", "int", "void*", "int", "uint", "void*");
const openat2 = raw<[number, string, Uint8Array, number]>("int", "str", "void*", "size_t");
const getdents64 = raw<[number, Uint8Array, number]>("uint", "void*", "size_t");

export const sys = {
  read: bind<[number, Uint8Array, number]>("read", "long", "int", "void*", "size_t"),
  write: bind<[number, Uint8Array, number]>("write", "long", "int", "void*", "size_t"),
  ioctl: bind<[number, number, Uint8Array]>("ioctl", "int", "int", "ulong", "void*"),
  close: bind<[number]>("close", "int", "int"),
  openat: bind<[number, Name, number, number]>("openat", "int", "int", "void*", "int", "uint"),
  open: (path: string, flags: number) => openPath(AT.FDCWD, path, flags | O.CLOEXEC, 0),
  /** Below `dir`, and by no symbolic link. */
  openBeneath: (dir: number, path: string, flags: number) => {
    const how = new BigUint64Array([BigInt(flags | O.CLOEXEC), 0n, BigInt(RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS)]);
    return openat2(NR.openat2, dir, path, new Uint8Array(how.buffer), how.byteLength);
  },
  statx: (fd: number, into: Uint8Array, flags = 0, mask: number = STATX.BASIC_STATS) => statx(fd, "", AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW | flags, mask, into),
  statxAt: (dir: number, name: Name, into: Uint8Array) => statxAt(dir, name, AT.SYMLINK_NOFOLLOW, STATX.BASIC_STATS, into),
  getdents: (fd: number, into: Uint8Array, bytes: number) => getdents64(NR.getdents64, fd, into, bytes),
  lseek: bind<[number, bigint, number]>("lseek", "long", "int", "int64", "int"),
  mkdirat: bind<[number, Name, number]>("mkdirat", "int", "int", "void*", "uint"),
  mknodat: bind<[number, Name, number, number]>("mknodat", "int", "int", "void*", "uint", "ulong"),
  unlinkat: bind<[number, Name, number]>("unlinkat", "int", "int", "void*", "int"),
  renameat2: bind<[number, Name, number, Name, number]>("renameat2", "int", "int", "void*", "int", "void*", "uint"),
  /** A new name for what `path`, a link of /proc/self/fd, stands for. */
  link: bind<[number, string, number, Name, number]>("linkat", "int", "int", "str", "int", "void*", "int"),
  symlinkat: bind<[Name, number, Name]>("symlinkat", "int", "void*", "int", "void*"),
  readlink: bind<[number, string, Uint8Array, number]>("readlinkat", "long", "int", "str", "void*", "size_t"),
  chmod: bind<[string, number]>("chmod", "int", "str", "uint"),
  chown: bind<[number, string, number, number, number]>("fchownat", "int", "int", "str", "uint", "uint", "int"),
  utimens: bind<[number, string | Name, Uint8Array, number]>("utimensat", "int", "int", "str", "void*", "int"),
  truncate: bind<[string, number]>("truncate", "int", "str", "int64"),
  fallocate: bind<[number, number, number, number]>("fallocate", "int", "int", "int", "int64", "int64"),
  fsync: bind<[number]>("fsync", "int", "int"),
  fdatasync: bind<[number]>("fdatasync", "int", "int"),
  fstatfs: bind<[number, Uint8Array]>("fstatfs", "int", "int", "void*"),
  getxattr: bind<[string, Name, Uint8Array, number]>("getxattr", "long", "str", "void*", "void*", "size_t"),
  setxattr: bind<[string, Name, Uint8Array, number, number]>("setxattr", "int", "str", "void*", "void*", "size_t", "int"),
  listxattr: bind<[string, Uint8Array, number]>("listxattr", "long", "str", "void*", "size_t"),
  removexattr: bind<[string, Name]>("removexattr", "int", "str", "void*"),
} as const;

const openPath = bind<[number, string, number, number]>("openat", "int", "int", "str", "int", "uint");

/** What a descriptor stands for, whatever its name is by now. */
export const pathOf = (fd: number): string => `/proc/self/fd/${fd}`;
export const nameOf = (text: string): Name => Buffer.from(`${text}\0`);
