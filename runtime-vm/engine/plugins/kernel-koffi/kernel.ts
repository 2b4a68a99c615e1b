import type { Kernel } from "#core/kernel/kernel.ts";
import { files } from "./files.ts";
import { keepLowDescriptors } from "./low-descriptors.ts";
import { mounts } from "./mounts.ts";
import { namespaces } from "./namespaces.ts";
import { createDevices } from "./devices.ts";
import { quotas } from "./quota.ts";
import { processes } from "./processes.ts";
import { sockets } from "./sockets.ts";

/** The Linux kernel by FFI, made while few descriptors are open. Nothing is loaded until the first call. */
export function createKernel(): Kernel {
  keepLowDescriptors();
  return { ...mounts, ...files, ...quotas, ...namespaces, ...sockets, ...processes, ...createDevices() };
}
