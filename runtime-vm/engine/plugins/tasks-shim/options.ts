import type { Devices, Files } from "#core/kernel/kernel.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** What `main.ts` decides about the runtime. */
export interface ShimRuntimeOptions {
  /** One directory a container below it: config.json, task.json, FIFOs. */
  readonly bundles: string;
  /** One directory a shim below it, the events socket, the holder's control FIFO, crun's state. */
  readonly shims: string;
  readonly kernel: Pick<Files & Devices, "mkfifo" | "setPipeSize" | "spliceToFile" | "punchHole" | "poll">;
  /** Diagnostics of shims and of this runtime, one line each. */
  readonly log: (line: string) => void;
  readonly shimBinary?: string;
  readonly runtimeBinary?: string;
  /** Keeps FIFOs open while no engine runs. */
  readonly busyboxBinary?: string;
  /** A pure cgroup v2 mount. */
  readonly cgroupRoot?: string;
  readonly shimCountMin?: number;
  readonly shimCountMax?: number;
}

export type ResolvedOptions = Required<ShimRuntimeOptions>;

export const resolveOptions = (given: ShimRuntimeOptions): ResolvedOptions => ({
  shimBinary: "containerd-shim-runc-v2",
  runtimeBinary: "crun",
  busyboxBinary: "busybox",
  cgroupRoot: "/sys/fs/cgroup",
  shimCountMin: 1,
  // A shim serialises creates: more of them than processors get in each other's way, and each takes as long to start as two creates.
  shimCountMax: Math.min(4, Math.max(2, availableParallelism())),
  ...given,
});

/** containerd's namespace in every call; also the folder below crun's state. */
export const shimNamespace = "slipway";

/** Longest socket path the kernel takes is 107 bytes; leave room. */
const socketPathBytesMax = 100;

/** Names in the `shims` directory and in one bundle. */
export const shimPaths = (shims: string) => {
  const near = join(shims, "events.sock");
  // Only where it is needed: loading cryptography would be a tenth of the engine's start.
  const digest = (): string => createHash("sha256").update(shims).digest("hex").slice(0, 16);
  return {
    /** Where shims report events. A deep root goes beside the shims' own sockets instead. */
    events: Buffer.byteLength(near) <= socketPathBytesMax ? near : `/run/containerd/slipway-${digest()}.sock`,
    holderControl: join(shims, "holder"),
    holderPid: join(shims, "holder.pid"),
    runtimeState: join(shims, "crun"),
    shim: (name: string) => join(shims, name),
    shimRecord: (name: string) => join(shims, name, "shim.json"),
    shimLog: (name: string) => join(shims, name, "log"),
  } as const;
};

export const bundlePaths = (bundle: string) =>
  ({
    spec: join(bundle, "config.json"),
    record: join(bundle, "task.json"),
    /** Output on its way from a FIFO to the log. */
    spool: (name: "stdout" | "stderr") => join(bundle, `${name}.spool`),
    /** What the log has of it. */
    logged: join(bundle, "logged"),
    stdio: (name: "stdin" | "stdout" | "stderr", execId = "") => join(bundle, execId === "" ? name : `${execId}.${name}`),
  }) as const;

let boot: string | undefined;

/** Changes at every boot: what was recorded under another one is gone, whatever the files say. */
export const bootId = (): string => (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
