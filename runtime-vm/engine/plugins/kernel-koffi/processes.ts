import { EngineError } from "#base/errors.ts";
import type { Processes } from "#core/kernel/kernel.ts";
import { c, check } from "./libc.ts";
import { ownProgramRanges } from "./programs.ts";

/** RLIMIT_* of <asm-generic/resource.h>, under the names that container engines use. */
const RLIMIT: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};
const MADV_DONTNEED = 4;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

export const processes: Processes = {
  releaseMemory() {
    c.mallocTrim(0);
  },

  unmapPrograms() {
    for (const { start, bytes } of ownProgramRanges()) check(c.madvise(start, bytes, MADV_DONTNEED), "madvise", `program at ${start.toString(16)}`);
  },

  kill(pid, signal) {
    // 0, -1 and below address groups or everything: never meant here.
    if (!Number.isInteger(pid) || pid <= 0) throw new EngineError("invalidArgument", `not a process id: ${pid}`);
    check(c.kill(pid, signal), `kill -${signal}`, `process ${pid}`);
  },

  hardLimit(name) {
    const resource = RLIMIT[name];
    if (resource === undefined) throw new EngineError("invalidArgument", `no such resource limit: ${name}`);
    const limit = Buffer.alloc(16);
    check(c.prlimit(0, resource, null, limit), "prlimit", name);
    const hard = limit.readBigUInt64LE(8);
    return hard === RLIM_INFINITY ? Number.POSITIVE_INFINITY : Number(hard);
  },
};
