import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { codeOf } from "#base/errors.ts";
import { KernelError, MNT, MS, type Namespaces } from "#core/kernel/kernel.ts";
import type { IdRange } from "#core/userns/identity.ts";
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

  async createNetnsOf(path, userns) {
    // A thread cannot enter another user namespace: a process does, and what it made is kept.
    await keepNamespace(path, "net", ["nsenter", `--user=${userns}`, "-S", "0", "-G", "0", "--", "busybox", "unshare", "-n"]);
    namespaces.inNetns(path, () => raiseLoopback(path));
  },

  createUserns: (path, map) =>
    keepNamespace(path, "user", ["unshare", "-U"], (pid) => {
      writeFileSync(`/proc/${pid}/uid_map`, mapText(map.uid));
      writeFileSync(`/proc/${pid}/gid_map`, mapText(map.gid));
    }),

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

const mapText = (ranges: readonly IdRange[]): string => ranges.map(({ container, host, size }) => `${container} ${host} ${size}\n`).join("");

/** Has busybox make a namespace, says who is in it to `settle`, and keeps it at `path`. */
async function keepNamespace(path: string, kind: "net" | "user", command: readonly string[], settle: (pid: number) => void = () => undefined): Promise<void> {
  const maker = spawn("busybox", [...command, "busybox", "sh", "-c", "echo; read -r end"], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(maker, "close");
  const complaint = maker.stderr.toArray();
  try {
    const [first] = (await Promise.race([once(maker.stdout, "data"), ended])) as [Buffer | number | null];
    if (maker.pid === undefined || !Buffer.isBuffer(first)) throw new KernelError("make namespace", path, (await complaint).join("").trim());
    settle(maker.pid);
    writeFileSync(path, "", { flag: "wx", mode: 0o444 });
    try {
      check(c.mount(`/proc/${maker.pid}/ns/${kind}`, path, null, MS.BIND, null), `keep ${kind} namespace at`, path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  } finally {
    maker.stdin.end();
    await ended;
  }
}

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
