import { closeSync, openSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { codeOf } from "#base/errors.ts";
import { KernelError, MNT, MS, type Namespaces } from "#core/kernel/kernel.ts";
import { c, check } from "./libc.ts";

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOC = { GIFFLAGS: 0x8913, SIFFLAGS: 0x8914 } as const;
const IFF_UP = 1;
const OWN = "/proc/thread-self/ns/net";

/**
 * Threads started while this one is in a namespace inherit it: `work` makes system calls and nothing else (no promise,
 * no asynchronous file or name look-up that might start Node's thread pool there).
 */
export const namespaces: Namespaces = {
  createNetns(path) {
    writeFileSync(path, "", { flag: "wx", mode: 0o444 });
    try {
      awayFromOwn(() => {
        check(c.unshare(CLONE_NEWNET), "make network namespace", path);
        raiseLoopback(path);
        check(c.mount(OWN, path, null, MS.BIND, null), "keep network namespace at", path);
      });
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  },

  removeNetns(path) {
    try {
      check(c.umount2(path, MNT.DETACH), "umount", path);
    } catch (error) {
      // EINVAL: a plain file, left by a create that was cut short or by a reboot.
      if (!(error instanceof KernelError) || !["ENOENT", "EINVAL"].includes(error.code)) throw error;
    }
    try {
      unlinkSync(path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  },

  inNetns(path, work) {
    const there = openSync(path, "r");
    try {
      return awayFromOwn(() => {
        check(c.setns(there, CLONE_NEWNET), "enter network namespace", path);
        return work();
      });
    } finally {
      closeSync(there);
    }
  },
};

/** Runs `work`, which may change this thread's network namespace, and comes back; a process stranded elsewhere would harm strangers, so it dies. */
function awayFromOwn<T>(work: () => T): T {
  const own = openSync(OWN, "r");
  try {
    return work();
  } finally {
    if (c.setns(own, CLONE_NEWNET) !== 0) process.abort();
    closeSync(own);
  }
}

function raiseLoopback(object: string): void {
  const socket = check(c.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), "socket in", object);
  try {
    const request = Buffer.alloc(40); // struct ifreq: char name[16], short flags
    request.write("lo");
    check(c.ioctl(socket, SIOC.GIFFLAGS, request), "read flags of lo in", object);
    request.writeInt16LE(request.readInt16LE(16) | IFF_UP, 16);
    check(c.ioctl(socket, SIOC.SIFFLAGS, request), "raise lo in", object);
  } finally {
    closeSync(socket);
  }
}
