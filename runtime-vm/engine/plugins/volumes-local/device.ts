import { lookup } from "node:dns/promises";
import { closeSync } from "node:fs";
import { isIP } from "node:net";
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { EngineError } from "#base/errors.ts";
import { type Kernel, KernelError, MS } from "#core/kernel/kernel.ts";
import { type MountOptions, parseMountOptions } from "#core/volumes/mount-options.ts";

const O_PATH = 0o10000000;

export interface Device {
  readonly type: string;
  readonly device: string;
  readonly options: string;
}

/** The device that a volume's options name; undefined: the volume is a plain directory. */
export function deviceOf(options: Readonly<Record<string, string>> | null): Device | undefined {
  const { type, device, o } = options ?? {};
  return type === undefined || device === undefined ? undefined : { type, device, options: o ?? "" };
}

/** Mounts it at `target`. A path of the host is found under `hostPrefix`, whatever links lie on the way. */
export async function mountDevice(kernel: Kernel, device: Device, target: string, hostPrefix: string): Promise<void> {
  const options = await resolved(device);
  try {
    if ((options.flags & MS.BIND) !== 0) bind(kernel, device.device, target, options, hostPrefix);
    else kernel.mount({ source: device.device, target, type: device.type, flags: options.flags, data: options.data });
    if (options.propagation !== 0) kernel.mount({ source: "none", target, flags: options.propagation });
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const reason = reasonOf(error.code);
    const message = `failed to mount local volume: mount ${device.device}:${target}, flags: 0x${options.flags.toString(16)}: ${reason}`;
    throw new EngineError("internal", `error while mounting volume '${target}': ${message}`, { cause: error });
  }
}

function bind(kernel: Kernel, device: string, target: string, options: MountOptions, hostPrefix: string): void {
  const fd = kernel.openInRoot(hostPrefix === "" ? "/" : hostPrefix, device, O_PATH);
  try {
    kernel.mount({ source: `/proc/self/fd/${fd}`, target, flags: options.flags & (MS.BIND | MS.REC) });
    // The other flags of a bind mount take a second call.
    const rest = options.flags & ~MS.REC;
    if (rest !== MS.BIND) kernel.mount({ source: "none", target, flags: rest | MS.REMOUNT });
  } finally {
    closeSync(fd);
  }
}

/** The kernel takes servers of network file systems as addresses only. */
async function resolved({ type, options }: Device): Promise<MountOptions> {
  const parsed = parseMountOptions(options);
  if (!["nfs", "nfs4", "cifs"].includes(type)) return parsed;
  const words = await Promise.all(
    parsed.data.split(",").map(async (word) => {
      const host = /^addr=(.+)$/.exec(word)?.[1];
      return host === undefined || isIP(host) !== 0 ? word : `addr=${(await lookup(host)).address}`;
    }),
  );
  return { ...parsed, data: words.join(",") };
}

function reasonOf(code: string): string {
  const errno = (constants.errno as Readonly<Record<string, number>>)[code];
  return errno === undefined ? code : getSystemErrorMessage(-errno);
}
