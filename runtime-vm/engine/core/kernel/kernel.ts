import type { IdentityMap } from "../userns/identity.ts";

/**
 * What the engine asks of the Linux kernel that Node cannot: one interface, one implementation (FFI), handed to
 * whoever needs it by `main.ts`. All calls are synchronous and short unless they return a promise; every failure is a
 * KernelError with the errno's name, the call and its object.
 */
export class KernelError extends Error {
  /** errno's name, `EBUSY`. */
  readonly code: string;
  constructor(call: string, object: string, code: string) {
    super(`${call} ${object}: ${code}`);
    this.name = "KernelError";
    this.code = code;
  }
}

/** mount(2) flags, from <linux/mount.h>. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
  RELATIME: 1 << 21,
} as const;
/** umount2(2) flags. */
export const MNT = { FORCE: 1, DETACH: 2, EXPIRE: 4, NOFOLLOW: 8 } as const;

export interface Mounts {
  mount(what: { source: string; target: string; type?: string; flags?: number; data?: string }): void;
  /** Overlay with any number of lower directories: fsopen + `lowerdir+` when the options pass one page. `volatile`: nothing written is waited for to be on the disk, not even at the end; it is mounted once. */
  mountOverlay(what: { target: string; lower: readonly string[]; upper: string; work: string; volatile?: boolean }): void;
  /**
   * A mount of the directory `source` at `target` whose owners are those that the user namespace at `userns` (a pinned file) has for
   * them (mount_setattr, MOUNT_ATTR_IDMAP). KernelError EINVAL where the file system cannot do that.
   */
  mountMapped(what: { source: string; target: string; userns: string }): void;
  umount(target: string, flags?: number): void;
  /** Mount points below (and at) `prefix`, deepest first, read from /proc/self/mountinfo. */
  mountsUnder(prefix: string): string[];
  isMountPoint(path: string): boolean;
}

export interface Files {
  mkfifo(path: string, mode: number): void;
  /** F_SETPIPE_SZ: how much a pipe or FIFO holds before its writer waits. */
  setPipeSize(fd: number, bytes: number): void;
  /**
   * splice(2): the kernel moves what `pipe` holds, at most `bytesMax`, to `offset` of `file`, and tells how much it was: a byte is in one of
   * the two at any moment, whenever this process is killed. 0: nobody can write to the pipe; undefined: there is nothing in it now.
   */
  spliceToFile(pipe: number, file: number, offset: number, bytesMax: number): number | undefined;
  /** memcpy(3) of `from` to `to` at `at`, for memory that threads share: V8 copies that word by word. RangeError where it does not fit. */
  copy(to: Uint8Array, at: number, from: Uint8Array): void;
  /** FALLOC_FL_PUNCH_HOLE: gives the space of a part of a file back; its size stays. */
  punchHole(file: number, offset: number, bytes: number): void;
  /** `mode` holds the type (S_IFCHR, S_IFBLK, S_IFIFO) and the permissions, which the umask does not touch. */
  mknod(path: string, mode: number, major: number, minor: number): void;
  /** Opens `path` resolved inside `root` as if it were `/` (openat2 RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS). The caller closes the fd. */
  openInRoot(root: string, path: string, flags: number, mode?: number): number;
  getxattrs(path: string): ReadonlyMap<string, Buffer>;
  setxattr(path: string, name: string, value: Buffer): void;
  /** syncfs(2): everything written to the file system that holds `path` survives a power cut once it returns. */
  syncFileSystem(path: string): Promise<void>;
  /** Loop device over `path`; it detaches itself when its last user closes (LO_FLAGS_AUTOCLEAR). Returns /dev/loopN and an fd to close once mounted. */
  loop(path: string, readOnly: boolean): { device: string; fd: number };
}

export interface Quotas {
  /**
   * Everything that is made below `directories` (empty ones of one XFS mounted with pquota) may together take `bytes` of the disk;
   * 0: as much as there is. They belong to `project`, a number of their own. Past it writers get ENOSPC.
   */
  limitProject(project: number, bytes: number, directories: readonly string[]): void;
}

export interface Namespaces {
  /** Makes a network namespace with `lo` up, kept alive by a bind mount of its nsfs at `path`. */
  createNetns(path: string): void;
  /** The same, owned by the user namespace pinned at `userns`: a process with privileges there has them over this network. */
  createNetnsOf(path: string, userns: string): Promise<void>;
  /** Makes a user namespace with these ids, kept alive by a bind mount of its nsfs at `path`. */
  createUserns(path: string, map: IdentityMap): Promise<void>;
  /** umount + unlink: the kernel then removes the namespace with its veths. Missing is fine. */
  removeNetns(path: string): void;
  /** Runs `work` synchronously with this thread inside the namespace at `path`. If the way back fails the process aborts. */
  inNetns<T>(path: string, work: () => T): T;
}

export interface Sockets {
  /**
   * A bound, CLOEXEC|NONBLOCK socket fd made in the current namespace (wrap in `inNetns`), for `dgram.bind({fd})` or
   * `server.listen({fd})`. `transparent` (IP_TRANSPARENT): packet rules may bring it what was meant for other ports, and
   * `address` need not be there yet.
   */
  boundSocket(what: { kind: "udp" | "tcp"; address: string; port: number; transparent?: boolean }): { fd: number; port: number };
  /** A unix datagram socket connected to the one at `path` (`/dev/log`): Node has none. */
  connectDatagram(path: string): DatagramSocket;
  /** One rtnetlink socket in the namespace at `netns` (absent: the engine's own). */
  rtnetlink(netns?: string): Netlink;
  /** Runs one nft batch (the text of an `nft -f` file) in the current namespace by libnftables; throws with nft's message. */
  nft(commands: string): string;
}

/** One datagram a `send`; EAGAIN when the receiver's queue is full, ECONNREFUSED when it is gone. */
export interface DatagramSocket extends Disposable {
  send(bytes: Uint8Array): void;
}

/** A request/acknowledge rtnetlink conversation over one socket (rtnetlink(7)). */
export interface Netlink extends Disposable {
  /** Sends one message (payload after nlmsghdr), waits for its acknowledgement or its dump; returns the payloads received. */
  request(type: number, flags: number, payload: Uint8Array): readonly Uint8Array[];
}

export interface Processes {
  kill(pid: number, signal: number): void;
  /** Hard rlimits of this process by name (`nofile`): runtimes may not raise past them without CAP_SYS_RESOURCE. */
  hardLimit(name: string): number;
  /** malloc_trim(3): gives memory that was freed back to the system, some milliseconds' work. Worth it after much was allocated. */
  releaseMemory(): void;
  /**
   * madvise(MADV_DONTNEED) of this process's program text and constants. They stay in the page cache, from where they come back when
   * they are needed, 64 KiB in a microsecond; but as nobody's pages they are the first the system takes when it wants memory.
   */
  unmapPrograms(): void;
}

export interface Devices {
  /**
   * poll(2) on one descriptor by the event loop: no thread is parked. Resolves with `revents`, 0 when `timeoutMs` passed
   * first. Bits: POLLIN 1, POLLOUT 4, POLLERR 8, POLLHUP 16, POLLNVAL 32. Any number of calls may wait on one fd; abort
   * them (it rejects with the signal's reason) before closing the fd.
   */
  poll(fd: number, events: number, timeoutMs: number, signal?: AbortSignal): Promise<number>;
  /** clock_settime(CLOCK_REALTIME): the VM's host pushes its time after a pause. */
  setTime(unixMs: number): void;
}

export interface Kernel extends Mounts, Files, Quotas, Namespaces, Sockets, Processes, Devices {}
