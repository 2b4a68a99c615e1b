import { lookup } from "node:dns/promises";
import { closeSync } from "node:fs";
import { isIP } from "node:net";
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
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
export async function mountDevice(kernel: Kernel, asked: Device, target: string, hostPrefix: string): Promise<void> {
  const failed = (reason: string, cause: unknown): EngineError => new EngineError("internal", `error while mounting volume '${target}': ${reason}`, { cause });
  const device = await resolved(asked).catch((error: unknown) => {
    throw failed(`error resolving passed in network volume address: ${messageOf(error)}`, error);
  });
  const options = parseMountOptions(device.options);
  try {
    if ((options.flags & MS.BIND) !== 0) bind(kernel, device.device, target, options, hostPrefix);
    else kernel.mount({ source: device.device, target, type: device.type, flags: options.flags, data: options.data });
    if (options.propagation !== 0) kernel.mount({ source: "none", target, flags: options.propagation });
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const flags = options.flags === 0 ? "" : `, flags: 0x${options.flags.toString(16)}`;
    const data = options.data === "" ? "" : `, data: ${options.data.replace(/(^|,)(pass(?:word)?=)[^,]*/g, "$1$2********")}`;
    throw failed(`failed to mount local volume: mount ${device.device}:${target}${flags}${data}: ${reasonOf(error.code)}`, error);
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

/**
 * With addresses for names: the kernel takes servers of network file systems as addresses only. They are said by `addr`, or
 * for cifs by the device alone.
 */
async function resolved(device: Device): Promise<Device> {
  if (device.type !== "nfs" && device.type !== "cifs") return device;
  const [, name] = /(?:^|,)addr=([^,]*)/.exec(device.options) ?? [];
  if (name !== undefined && isIP(name) === 0) return { ...device, options: device.options.replace(`addr=${name}`, `addr=${await addressOf(name)}`) };
  const [, server] = /^\/\/([^/:]+)/.exec(device.device) ?? [];
  if (device.type !== "cifs" || server === undefined || isIP(server) !== 0) return device;
  return { ...device, device: device.device.replace(server, await addressOf(server)) };
}

async function addressOf(name: string): Promise<string> {
  try {
    return (await lookup(name, { order: "ipv4first" })).address;
  } catch (error) {
    throw new EngineError("internal", `lookup ${name}: ${codeOf(error) === "ENOTFOUND" ? "no such host" : "no resolver answers"}`, { cause: error });
  }
}

/** What mount(2) can answer, where Go's words are not those of libuv. */
const GO_WORDS: Readonly<Record<string, string>> = {
  EBUSY: "device or resource busy",
  EHOSTUNREACH: "no route to host",
  EIO: "input/output error",
  ENOKEY: "required key not available",
  ENOTBLK: "block device required",
  EREMOTEIO: "remote I/O error",
  ESTALE: "stale NFS file handle",
  EUCLEAN: "structure needs cleaning",
};

function reasonOf(code: string): string {
  const errno = (constants.errno as Readonly<Record<string, number>>)[code];
  return GO_WORDS[code] ?? (errno === undefined ? code : getSystemErrorMessage(-errno));
}
