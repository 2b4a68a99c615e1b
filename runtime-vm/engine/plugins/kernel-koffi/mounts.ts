import { closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf } from "#base/errors.ts";
import { MS, type Mounts } from "#core/kernel/kernel.ts";
import { c, check, sys } from "./libc.ts";

/** mount(2) copies one page of options. */
const OPTIONS_BYTES_MAX = 4095;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG = { SET_FLAG: 0, SET_STRING: 1, CMD_CREATE: 6 } as const;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_EMPTY_PATH = 0x1000;
const MOUNT_ATTR_IDMAP = 0x00100000;
const O_PATH = 0o10000000;

type Overlay = Parameters<Mounts["mountOverlay"]>[0];

export const mounts: Mounts = {
  mount({ source, target, type, flags, data }) {
    check(c.mount(source, target, type ?? null, flags ?? 0, data ?? null), `mount ${type ?? "(bind)"} ${source} on`, target);
  },

  mountOverlay(what) {
    const data = overlayOptions(what, what.lower);
    if (Buffer.byteLength(data) <= OPTIONS_BYTES_MAX) return mounts.mount({ source: "overlay", target: what.target, type: "overlay", data });
    if (!mountOverlayByFsconfig(what)) mountOverlayByDescriptors(what);
  },

  mountMapped({ source, target, userns }) {
    const namespace = openSync(userns, "r");
    try {
      const tree = check(sys.openTree(source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), "open_tree", source);
      try {
        const attributes = Buffer.alloc(32); // struct mount_attr: set, clear, propagation, userns_fd
        attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_IDMAP), 0);
        attributes.writeBigUInt64LE(BigInt(namespace), 24);
        check(sys.mountSetattr(tree, AT_EMPTY_PATH, attributes), "map the owners of", source);
        check(sys.moveMount(tree, target, MOVE_MOUNT_F_EMPTY_PATH), "move mapped mount to", target);
      } finally {
        closeSync(tree);
      }
    } finally {
      closeSync(namespace);
    }
  },

  umount(target, flags) {
    check(c.umount2(target, flags ?? 0), "umount", target);
  },

  mountsUnder(prefix) {
    if (isBare(prefix)) return [];
    const below = prefix.endsWith("/") ? prefix : `${prefix}/`;
    return mountPoints(readMountinfo())
      .filter((path) => path === prefix || path.startsWith(below))
      .toReversed();
  },

  isMountPoint(path) {
    const mount = mountIdOf(path);
    return mount !== undefined && mount !== mountIdOf(dirname(path));
  },
};

/** Nothing can be mounted on or below it: seen without the list of all mounts, which is long where containers run. */
function isBare(path: string): boolean {
  try {
    return readdirSync(path).length === 0 && !mounts.isMountPoint(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
    if (codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** The mount that what is at `path` belongs to, the topmost one there; undefined when there is nothing. Asked of one path: the list of all mounts is long. */
function mountIdOf(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/thread-self/fdinfo/${fd}`).toString("latin1"))?.[1];
  } finally {
    closeSync(fd);
  }
}

/** As bytes first: Node 24.21 corrupts its heap when it reads a long /proc file, which comes in short pieces, with an encoding. */
const readMountinfo = (): string => readFileSync("/proc/thread-self/mountinfo").toString("utf8");

/** Mount points in the order they were mounted, so that the reverse is a safe order to unmount (proc(5), field 5). */
export function mountPoints(mountinfo: string): string[] {
  const paths: string[] = [];
  for (const line of mountinfo.split("\n")) {
    const path = line.split(" ", 5)[4];
    if (path !== undefined) paths.push(path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  }
  return paths;
}

/** Overlay splits its options at `,` and `:`, and takes a backslash before either as literal. */
const escaped = (path: string): string => path.replace(/[\\,:]/g, "\\$&");

/** The features that would make the upper directory unreadable to our own layer code are switched off by name: kernels are built with either default. */
export function overlayOptions(what: Overlay, lower: readonly string[]): string {
  const dirs = `lowerdir=${lower.map(escaped).join(":")},upperdir=${escaped(what.upper)},workdir=${escaped(what.work)}`;
  return `${dirs},redirect_dir=off,metacopy=off,index=off${what.volatile === true ? ",volatile" : ""}`;
}

/** One `lowerdir+` a layer (Linux 6.7). False when the kernel does not know it. */
function mountOverlayByFsconfig({ target, lower, upper, work, volatile }: Overlay): boolean {
  const fs = check(sys.fsopen("overlay", FSOPEN_CLOEXEC), "fsopen overlay for", target);
  try {
    const [first, ...rest] = lower;
    if (first === undefined || sys.fsconfig(fs, FSCONFIG.SET_STRING, "lowerdir+", first) === -1) return false;
    const options: [string, string][] = [
      ...rest.map((dir): [string, string] => ["lowerdir+", dir]),
      ["upperdir", upper.replace(/\\/g, "\\\\")],
      ["workdir", work.replace(/\\/g, "\\\\")],
      ["redirect_dir", "off"],
      ["metacopy", "off"],
      ["index", "off"],
    ];
    for (const [key, value] of options) check(sys.fsconfig(fs, FSCONFIG.SET_STRING, key, value), `overlay option ${key}=${value} for`, target);
    if (volatile === true) check(sys.fsconfig(fs, FSCONFIG.SET_FLAG, "volatile", null), "overlay option volatile for", target);
    check(sys.fsconfig(fs, FSCONFIG.CMD_CREATE, null, null), `create overlay of ${lower.length} layers for`, target);
    const mount = check(sys.fsmount(fs, FSMOUNT_CLOEXEC, 0), "fsmount overlay for", target);
    try {
      check(sys.moveMount(mount, target, MOVE_MOUNT_F_EMPTY_PATH), "move overlay to", target);
      return true;
    } finally {
      closeSync(mount);
    }
  } finally {
    closeSync(fs);
  }
}

/** Older kernels: each layer under a name of some sixteen bytes, /proc/self/fd/N, which fits 200 into the page. */
function mountOverlayByDescriptors(what: Overlay): void {
  const fds: number[] = [];
  try {
    for (const dir of what.lower) fds.push(openSync(dir, O_PATH));
    const data = overlayOptions(
      what,
      fds.map((fd) => `/proc/self/fd/${fd}`),
    );
    mounts.mount({ source: "overlay", target: what.target, type: "overlay", data, flags: MS.RELATIME });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
