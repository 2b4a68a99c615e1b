import { randomInt } from "node:crypto";
import { type Kernel, KernelError } from "#core/kernel/kernel.ts";
import { noQuota } from "#core/volumes/request.ts";

/** What is written into the new directory of a volume may take so many bytes (0: as many as there are). Kept by the file system, with the directory. */
export function limitVolume(kernel: Kernel, volume: { readonly name: string; readonly data: string }, bytes: number): void {
  if (bytes === 0) return;
  try {
    kernel.limitProject(newProject(), bytes, [volume.data]);
  } catch (error) {
    throw error instanceof KernelError ? noQuota(volume.name, error) : error;
  }
}

/** A number for a volume, which a removed one of the same name does not have; those of containers' roots begin with another digit. */
const newProject = (): number => 0x2000_0000 + randomInt(0x1000_0000);
