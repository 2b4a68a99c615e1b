import { closeSync, constants, openSync } from "node:fs";
import type { Quotas } from "#core/kernel/kernel.ts";
import { c, check, sys } from "./libc.ts";

/** struct fsxattr and its two ioctls, from <linux/fs.h>; the same on x86-64 and arm64. */
const FSXATTR = { BYTES: 28, GET: 0x80_1c_58_1f, SET: 0x40_1c_58_20, XFLAGS_AT: 0, PROJECT_AT: 12, PROJECT_INHERIT: 0x200 } as const;
/** struct fs_disk_quota, from <linux/dqblk_xfs.h>: limits in blocks of 512 bytes. */
const QUOTA = { BYTES: 112, VERSION: 1, KIND_PROJECT: 2, FIELDS_AT: 2, ID_AT: 4, HARD_AT: 8, SOFT_AT: 16, BLOCK_LIMITS: (1 << 2) | (1 << 3) } as const;
/** QCMD(Q_XSETQLIM, PRJQUOTA), from <linux/quota.h>. */
const SET_PROJECT_LIMIT = (0x58_04 << 8) | 2;
const blockBytes = 512;

export const quotas: Quotas = {
  limitProject(project, bytes, directories) {
    const fds: number[] = [];
    try {
      for (const directory of directories) {
        const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
        fds.push(fd);
        const attributes = Buffer.alloc(FSXATTR.BYTES);
        check(c.ioctl(fd, FSXATTR.GET, attributes), "read the project of", directory);
        // Unsigned: the highest bit tells of extended attributes.
        attributes.writeUInt32LE((attributes.readUInt32LE(FSXATTR.XFLAGS_AT) | FSXATTR.PROJECT_INHERIT) >>> 0, FSXATTR.XFLAGS_AT);
        attributes.writeUInt32LE(project, FSXATTR.PROJECT_AT);
        check(c.ioctl(fd, FSXATTR.SET, attributes), "set the project of", directory);
      }
      const [first] = fds;
      if (first !== undefined) check(sys.quotactlFd(first, SET_PROJECT_LIMIT, project, limit(project, bytes)), "limit the project of", directories[0] ?? "");
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  },
};

function limit(project: number, bytes: number): Uint8Array {
  const quota = Buffer.alloc(QUOTA.BYTES);
  quota.writeInt8(QUOTA.VERSION, 0);
  quota.writeInt8(QUOTA.KIND_PROJECT, 1);
  quota.writeUInt16LE(QUOTA.BLOCK_LIMITS, QUOTA.FIELDS_AT);
  quota.writeUInt32LE(project, QUOTA.ID_AT);
  for (const at of [QUOTA.HARD_AT, QUOTA.SOFT_AT]) quota.writeBigUInt64LE(BigInt(Math.ceil(bytes / blockBytes)), at);
  return quota;
}
