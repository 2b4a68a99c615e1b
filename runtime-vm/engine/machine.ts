import { execFileSync } from "node:child_process";
import { rename, writeFile } from "node:fs/promises";
import { EngineError } from "#base/errors.ts";
import type { EngineConfig } from "#core/config/config.ts";
import type { EngineFlags } from "#core/config/flags.ts";
import { waitingFields } from "#core/config/live.ts";
import { resolveConfig } from "#core/config/load.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import { prefixOf } from "#core/networks/address.ts";
import type { StopRequest } from "#core/system/stop.ts";
import type { Configured } from "#link/calls.ts";
import { type GuestLink, serveLink } from "#link/serve.ts";

/** QEMU's user network: through it a guest reaches the loopback of the machine around it, which is not for containers. */
export const userNetwork = {
  forbidden: ["10.0.2.0/24", "fec0::/64"].map(prefixOf),
  resolver: "10.0.2.3",
  router: { address: "10.0.2.2", interface: "eth0", flowTable: true } as const,
};
/** The machine around a VM has this address for containers, and these names. */
export const hostAddress = "192.168.65.254";
export const hostNames = new Map(["host.docker.internal", "gateway.docker.internal"].map((name) => [name, hostAddress]));

interface Surroundings {
  readonly config: EngineConfig;
  readonly flags: EngineFlags;
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly stop: StopRequest;
  readonly release: string;
}

/** The engine's side of the link to the machine's host, when it runs in one. */
export function openLink({ config, flags, kernel, journal, stop, release }: Surroundings): GuestLink | undefined {
  const { link, ctl } = flags;
  if (link === undefined || ctl === undefined) return undefined;
  return serveLink({
    linkPath: link,
    ctlPath: ctl,
    engineSocket: config.socket,
    io: kernel,
    version: release,
    root: config.root,
    configure: (text) => configure(text, config, flags),
    shutdown: () => stop.ask({ stopContainers: true, powerOff: true }),
    powerOff: () => {
      execFileSync("poweroff");
      stop.switchedOff.resolve();
    },
    log: (line) => journal.info(line),
    signal: new AbortController().signal,
  });
}

/** Looks first, so that a file the engine cannot start with never replaces one with which it runs. */
async function configure(text: string, before: EngineConfig, flags: EngineFlags): Promise<Configured> {
  if (flags.config === undefined) throw new EngineError("notImplemented", "the engine was started without --config");
  const next = resolveConfig(flags, text);
  const waiting = waitingFields(before, next);
  await writeFile(`${flags.config}.new`, text, { mode: 0o600 });
  await rename(`${flags.config}.new`, flags.config);
  process.kill(process.pid, "SIGHUP");
  return { warnings: next.warnings, waiting };
}
