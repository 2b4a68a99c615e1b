import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import type { OciProcess } from "#core/specs/spec.ts";

/** By number, <linux/capability.h>. */
const known = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW " +
  "IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE " +
  "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

const defaults = (
  "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE " +
  "CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE"
).split(" ");

/** Those of a bit mask as /proc/PID/status prints it: what this engine may give at all. */
export const capabilitiesOfMask = (hex: string): readonly string[] => {
  const mask = BigInt(`0x${hex}`);
  return known.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
};

/** What a container gets. `available` are the engine's own: asking the runtime for more would fail the start. */
export function containerCapabilities(host: HostConfig, available: readonly string[]): string[] {
  if (host.Privileged) return [...available];
  const add = normalise("CapAdd", host.CapAdd);
  const drop = normalise("CapDrop", host.CapDrop);
  if (add.includes("ALL")) return available.filter((name) => !drop.includes(name));
  if (drop.includes("ALL")) return [...add];
  const kept = defaults.filter((name) => !drop.includes(name) && available.includes(name));
  return [...kept, ...add.filter((name) => !kept.includes(name) && !drop.includes(name))];
}

/** Root starts with them; for any other user execve would drop them, so only the bound is set, as dockerd does. */
export function processCapabilities(names: readonly string[], uid: number): NonNullable<OciProcess["capabilities"]> {
  const own = uid === 0 ? [...names] : [];
  return { bounding: [...names], effective: own, permitted: [...own], inheritable: [], ambient: [] };
}

/** Names in any case, with or without `CAP_`. */
export function normalise(field: "CapAdd" | "CapDrop", names: readonly string[] | null | undefined): string[] {
  return (names ?? []).map((given) => {
    const upper = given.toUpperCase();
    if (upper === "ALL") return upper;
    const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
    if (!known.includes(name)) throw new EngineError("invalidArgument", `invalid ${field}: unknown capability: "${name}"`);
    return name;
  });
}
