/**
 * Every C function the engine calls, declared once, bound on first use. All take and return plain numbers, strings and
 * Buffers; `check` turns -1 into a KernelError by errno.
 */
import type { KoffiFunc } from "koffi";
import { KernelError } from "#core/kernel/kernel.ts";
import { type Koffi, loadKoffi } from "./addon.ts";

let loaded: Koffi | undefined;
export const koffi = (): Koffi => (loaded ??= loadKoffi());

const libraries: Record<string, ReturnType<Koffi["load"]>> = {};
const library = (file: string) => (libraries[file] ??= koffi().load(file));

type Value = string | number | Uint8Array | Context | null;
/** libnftables' `struct nft_ctx *`. */
export type Context = { readonly __brand: "nft_ctx" };

function bind<A extends Value[], R>(file: string, name: string, result: string, parameters: readonly string[]): (...args: A) => R {
  let call: ((...args: A) => R) | undefined;
  return (...args) => {
    call ??= library(file).func(name, result, [...parameters]) as KoffiFunc<(...args: A) => R>;
    return call(...args);
  };
}

const LIBC = "libc.so.6";
const NFT = "libnftables.so.1";
const int = <A extends Value[]>(name: string, ...parameters: string[]) => bind<A, number>(LIBC, name, "int", parameters);

// syscall(2) is variadic in C, but reads its arguments from the registers of an ordinary call on x86-64 and arm64.
const raw = <A extends Value[]>(...parameters: string[]) => bind<[number, ...A], number>(LIBC, "syscall", "long", ["long", ...parameters]);

export const c = {
  mount: int<[string, string, string | null, number, string | null]>("mount", "str", "str", "str", "ulong", "str"),
  umount2: int<[string, number]>("umount2", "str", "int"),
  mkfifo: int<[string, number]>("mkfifo", "str", "uint"),
  memcpy: bind<[Uint8Array, Uint8Array, number], void>(LIBC, "memcpy", "void", ["void*", "void*", "size_t"]),
  fcntlInt: int<[number, number, number]>("fcntl", "int", "int", "long"),
  splice: bind<[number, null, number, Uint8Array, number, number], number>(LIBC, "splice", "long", ["int", "void*", "int", "void*", "size_t", "uint"]),
  fallocate: int<[number, number, number, number]>("fallocate", "int", "int", "int64", "int64"),
  mknod: int<[string, number, number]>("mknod", "str", "uint", "ulong"),
  llistxattr: bind<[string, Uint8Array | null, number], number>(LIBC, "llistxattr", "long", ["str", "void*", "size_t"]),
  lgetxattr: bind<[string, string, Uint8Array | null, number], number>(LIBC, "lgetxattr", "long", ["str", "str", "void*", "size_t"]),
  lsetxattr: int<[string, string, Uint8Array, number, number]>("lsetxattr", "str", "str", "void*", "size_t", "int"),
  unshare: int<[number]>("unshare", "int"),
  setns: int<[number, number]>("setns", "int", "int"),
  socket: int<[number, number, number]>("socket", "int", "int", "int"),
  connect: int<[number, Uint8Array, number]>("connect", "int", "void*", "uint"),
  bind: int<[number, Uint8Array, number]>("bind", "int", "void*", "uint"),
  getsockname: int<[number, Uint8Array, Uint8Array]>("getsockname", "int", "void*", "void*"),
  setsockopt: int<[number, number, number, Uint8Array, number]>("setsockopt", "int", "int", "int", "void*", "uint"),
  send: bind<[number, Uint8Array, number, number], number>(LIBC, "send", "long", ["int", "void*", "size_t", "int"]),
  recv: bind<[number, Uint8Array, number, number], number>(LIBC, "recv", "long", ["int", "void*", "size_t", "int"]),
  ioctl: int<[number, number, Uint8Array]>("ioctl", "int", "ulong", "void*"),
  ioctlInt: int<[number, number, number]>("ioctl", "int", "ulong", "long"),
  poll: int<[Uint8Array, number, number]>("poll", "void*", "ulong", "int"),
  clockSettime: int<[number, Uint8Array]>("clock_settime", "int", "void*"),
  mallocTrim: int<[number]>("malloc_trim", "size_t"),
  madvise: int<[number, number, number]>("madvise", "uintptr_t", "size_t", "int"),
  kill: int<[number, number]>("kill", "int", "int"),
  prlimit: int<[number, number, Uint8Array | null, Uint8Array | null]>("prlimit64", "int", "int", "void*", "void*"),
} as const;

/** Calls that may take as long as a disk, or who serves its files, does: they run on koffi's own threads; errno is not carried over. */
function threaded<A extends Value[]>(name: string, ...parameters: string[]): (...args: A) => Promise<number> {
  let call: KoffiFunc<(...args: A) => number> | undefined;
  return (...args) =>
    new Promise((resolve, reject) => {
      call ??= library(LIBC).func(name, "int", parameters) as KoffiFunc<(...args: A) => number>;
      call.async(...args, (error: unknown, result: number) => (error ? reject(error as Error) : resolve(result)));
    });
}
export const syncfs = threaded<[number]>("syncfs", "int");

/** System calls that glibc wraps too late or not at all; the numbers are the same on x86-64 and arm64. */
const NR = { openat2: 437, open_tree: 428, mount_setattr: 442, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, quotactl_fd: 443 } as const;

const openat2 = raw<[number, string, Uint8Array, number]>("int", "str", "void*", "size_t");
const fsopen = raw<[string, number]>("str", "uint");
const fsconfig = raw<[number, number, string | null, string | null, number]>("int", "uint", "str", "str", "int");
const fsmount = raw<[number, number, number]>("int", "uint", "uint");
const moveMount = raw<[number, string, number, string, number]>("int", "str", "int", "str", "uint");
const openTree = raw<[number, string, number]>("int", "str", "uint");
const mountSetattr = raw<[number, string, number, Uint8Array, number]>("int", "str", "uint", "void*", "size_t");
const quotactlFd = raw<[number, number, number, Uint8Array]>("uint", "uint", "uint", "void*");

export const sys = {
  openat2: (dir: number, path: string, how: Uint8Array) => openat2(NR.openat2, dir, path, how, how.length),
  fsopen: (type: string, flags: number) => fsopen(NR.fsopen, type, flags),
  fsconfig: (fd: number, command: number, key: string | null, value: string | null) => fsconfig(NR.fsconfig, fd, command, key, value, 0),
  fsmount: (fd: number, flags: number, attributes: number) => fsmount(NR.fsmount, fd, flags, attributes),
  quotactlFd: (fd: number, command: number, id: number, quota: Uint8Array) => quotactlFd(NR.quotactl_fd, fd, command, id, quota),
  openTree: (path: string, flags: number) => openTree(NR.open_tree, AT_FDCWD, path, flags),
  mountSetattr: (fd: number, flags: number, attributes: Uint8Array) => mountSetattr(NR.mount_setattr, fd, "", flags, attributes, attributes.length),
  moveMount: (from: number, to: string, flags: number) => moveMount(NR.move_mount, from, "", AT_FDCWD, to, flags),
} as const;

export const AT_FDCWD = -100;

export const nft = {
  newContext: bind<[number], Context>(NFT, "nft_ctx_new", "void*", ["uint32"]),
  free: bind<[Context], void>(NFT, "nft_ctx_free", "void", ["void*"]),
  bufferOutput: bind<[Context], number>(NFT, "nft_ctx_buffer_output", "int", ["void*"]),
  bufferError: bind<[Context], number>(NFT, "nft_ctx_buffer_error", "int", ["void*"]),
  output: bind<[Context], string>(NFT, "nft_ctx_get_output_buffer", "str", ["void*"]),
  error: bind<[Context], string>(NFT, "nft_ctx_get_error_buffer", "str", ["void*"]),
  run: bind<[Context, string], number>(NFT, "nft_run_cmd_from_buffer", "int", ["void*", "str"]),
} as const;

let names: Map<number, string> | undefined;

/** errno's name; several names share a number, the first in koffi's table wins except where POSIX has a usual one. */
export function errnoName(errno: number): string {
  if (names === undefined) {
    names = new Map(Object.entries(koffi().os.errno).map(([name, number]) => [number, name]));
    for (const usual of ["EAGAIN", "EDEADLK", "EOPNOTSUPP"]) names.set(koffi().os.errno[usual] ?? -1, usual);
  }
  return names.get(errno) ?? `errno ${errno}`;
}

/** The result of a C call, or a KernelError when it is -1. */
export function check(result: number, call: string, object: string): number {
  if (result !== -1) return result;
  throw new KernelError(call, object, errnoName(koffi().errno()));
}
