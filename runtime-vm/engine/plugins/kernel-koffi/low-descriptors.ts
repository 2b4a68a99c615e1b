import { closeSync, openSync } from "node:fs";
import { KernelError } from "#core/kernel/kernel.ts";

/** Descriptors from this one on do not fit into select(2)'s sets (FD_SETSIZE in sys/select.h). */
const setSize = 1_024;
/** More than there are threads that could open something in the moment between two calls of `withLowDescriptors`. */
const reserveSize = 16;

const reserve: number[] = [];

/**
 * For C code that waits by select(2), which ends the whole process over a descriptor that is too large: what `work` opens is small enough.
 * Throws EMFILE where no such descriptor was kept, and none is free.
 */
export function withLowDescriptors<T>(work: () => T): T {
  keepLowDescriptors();
  if (reserve.length === 0) throw new KernelError("open a descriptor", `below ${setSize}, since as many are open (close clients)`, "EMFILE");
  for (const fd of reserve.splice(0)) closeSync(fd);
  try {
    return work();
  } finally {
    keepLowDescriptors();
  }
}

/** Takes what is missing of the reserve; the first time while few descriptors are open, or there is none to be had later. */
export function keepLowDescriptors(): void {
  while (reserve.length < reserveSize) {
    const fd = openSync("/dev/null", "r");
    if (fd < setSize) reserve.push(fd);
    else return closeSync(fd);
  }
}
