import { chmodSync, closeSync, constants, existsSync, openSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import { type Files, KernelError } from "#core/kernel/kernel.ts";
import { c, check, syncfs, sys } from "./libc.ts";

const RESOLVE = { NO_MAGICLINKS: 0x02, IN_ROOT: 0x10 } as const;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const O_TMPFILE = 0o20000000;
/** openat2 answers EAGAIN when a rename raced a `..`: it asks to be called again. */
const ATTEMPTS_MAX = 64;

const LOOP = { CONFIGURE: 0x4c0a, CTL_GET_FREE: 0x4c82, FLAGS_READ_ONLY: 1, FLAGS_AUTOCLEAR: 4, MAJOR: 7 } as const;
/** struct loop_config: u32 fd, u32 block_size, struct loop_info64 (232 bytes, lo_flags at 52), u64[8] reserved. */
const LOOP_CONFIG_BYTES = 8 + 232 + 64;
const LOOP_FLAGS_AT = 8 + 52;
const F_SETPIPE_SZ = 1031;
const SPLICE_F_NONBLOCK = 2;
const FALLOC_FL = { KEEP_SIZE: 1, PUNCH_HOLE: 2 } as const;
const S_IFBLK = 0o060000;

export const files: Files = {
  mkfifo(path, mode) {
    check(c.mkfifo(path, mode), "mkfifo", path);
  },

  setPipeSize(fd, bytes) {
    check(c.fcntlInt(fd, F_SETPIPE_SZ, bytes), `set the size of pipe`, String(fd));
  },

  spliceToFile(pipe, file, offset, bytesMax) {
    const place = Buffer.alloc(8);
    place.writeBigInt64LE(BigInt(offset));
    try {
      return check(c.splice(pipe, null, file, place, bytesMax, SPLICE_F_NONBLOCK), "splice from pipe", String(pipe));
    } catch (error) {
      if (error instanceof KernelError && (error.code === "EAGAIN" || error.code === "EINTR")) return undefined;
      throw error;
    }
  },

  copy(to, at, from) {
    if (!(at >= 0 && at + from.length <= to.length)) throw new RangeError(`copy: ${from.length} bytes do not fit at ${at} of ${to.length}`);
    c.memcpy(to.subarray(at), from, from.length);
  },

  punchHole(file, offset, bytes) {
    check(c.fallocate(file, FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE, offset, bytes), "punch a hole in file", String(file));
  },

  mknod(path, mode, major, minor) {
    // glibc's makedev.
    const device = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);
    check(c.mknod(path, mode, device >>> 0), "mknod", path);
    chmodSync(path, mode & 0o7777);
  },

  openInRoot(root, path, flags, mode) {
    const dir = openSync(root, O_PATH | constants.O_DIRECTORY);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return check(sys.openat2(dir, path === "" ? "." : path, openHow(flags, mode ?? 0)), `open in ${root}`, path);
        } catch (error) {
          if (!(error instanceof KernelError) || error.code !== "EAGAIN" || attempt === ATTEMPTS_MAX) throw error;
        }
      }
    } finally {
      closeSync(dir);
    }
  },

  getxattrs(path) {
    const names = sized(`list attributes of`, path, (into, size) => c.llistxattr(path, into, size));
    const found = new Map<string, Buffer>();
    for (const name of names.toString("utf8").split("\0")) {
      if (name !== "")
        found.set(
          name,
          sized(`read attribute ${name} of`, path, (into, size) => c.lgetxattr(path, name, into, size)),
        );
    }
    return found;
  },

  setxattr(path, name, value) {
    check(c.lsetxattr(path, name, value, value.length, 0), `set attribute ${name} of`, path);
  },

  async syncFileSystem(path) {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      if ((await syncfs(fd)) === -1) throw new KernelError("syncfs", path, "EIO");
    } finally {
      closeSync(fd);
    }
  },

  loop(path, readOnly) {
    const backing = openSync(path, readOnly ? constants.O_RDONLY : constants.O_RDWR);
    try {
      return attachLoop(backing, path, readOnly);
    } finally {
      closeSync(backing);
    }
  },
};

/** struct open_how: u64 flags, mode, resolve. A mode without O_CREAT or O_TMPFILE is EINVAL. */
function openHow(flags: number, mode: number): Uint8Array {
  const creates = (flags & constants.O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;
  return new Uint8Array(
    new BigUint64Array([BigInt(flags | O_CLOEXEC), BigInt(creates ? mode & 0o7777 : 0), BigInt(RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS)]).buffer,
  );
}

/** The two-step reading of attributes: ask the size, read; again when it grew in between. */
function sized(call: string, object: string, read: (into: Buffer | null, size: number) => number): Buffer {
  for (;;) {
    const size = check(read(null, 0), call, object);
    if (size === 0) return Buffer.alloc(0);
    const into = Buffer.alloc(size);
    try {
      return into.subarray(0, check(read(into, size), call, object));
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== "ERANGE") throw error;
    }
  }
}

function attachLoop(backing: number, path: string, readOnly: boolean): { device: string; fd: number } {
  const control = openSync("/dev/loop-control", constants.O_RDWR);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const number = check(c.ioctlInt(control, LOOP.CTL_GET_FREE, 0), "find a free loop device for", path);
      const device = `/dev/loop${number}`;
      if (!existsSync(device)) check(c.mknod(device, S_IFBLK | 0o600, LOOP.MAJOR * 256 + number), "mknod", device);
      const fd = openSync(device, constants.O_RDWR);
      try {
        const config = Buffer.alloc(LOOP_CONFIG_BYTES);
        config.writeUInt32LE(backing, 0);
        config.writeUInt32LE(LOOP.FLAGS_AUTOCLEAR | (readOnly ? LOOP.FLAGS_READ_ONLY : 0), LOOP_FLAGS_AT);
        check(c.ioctl(fd, LOOP.CONFIGURE, config), `attach ${device} to`, path);
        return { device, fd };
      } catch (error) {
        closeSync(fd);
        // Another process took the device between the question and the answer.
        if (!(error instanceof KernelError) || error.code !== "EBUSY") throw error;
      }
    }
    throw new EngineError("unavailable", `no loop device for ${path}: ${ATTEMPTS_MAX} in a row were taken by others`);
  } finally {
    closeSync(control);
  }
}
