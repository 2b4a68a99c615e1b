import { EngineError } from "#base/errors.ts";
import type { ContainerConfig } from "#api/containers.ts";
import type { Ulimit } from "#api/resources.ts";
import type { Processes } from "#core/kernel/kernel.ts";
import { rlimitInfinity } from "#core/specs/json.ts";
import type { OciProcess } from "#core/specs/spec.ts";
import { defaultPath } from "./defaults.ts";

/** The environment dockerd makes: its own defaults first, overridden in place by the container's; a bare name removes. */
export function environment(
  config: Pick<ContainerConfig, "Env">,
  { hostname, tty, links, extra, home }: { hostname: string; tty: boolean; links: readonly string[]; extra: readonly string[]; home: string },
): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${hostname}`, ...(tty ? ["TERM=xterm"] : []), ...links];
  const merged = overrideEnv(overrideEnv(base, config.Env ?? []), extra);
  return merged.some((entry) => entry.startsWith("HOME=")) ? merged : [...merged, `HOME=${home}`];
}

export function overrideEnv(base: readonly string[], overrides: readonly string[]): string[] {
  const result = new Map(base.map((entry) => [nameOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes("=")) result.set(nameOf(entry), entry);
    else result.delete(entry);
  }
  return [...result.values()];
}

const nameOf = (entry: string): string => entry.slice(0, Math.max(0, entry.indexOf("=")));

const ulimitNames = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

/** Set on purpose, so that they do not depend on who started the engine. */
const ulimitDefaults: readonly Ulimit[] = [
  { Name: "nofile", Soft: 1_048_576, Hard: 1_048_576 },
  { Name: "nproc", Soft: -1, Hard: -1 },
  { Name: "core", Soft: 0, Hard: -1 },
];

/** Ulimits for the runtime, kept at or below this process's own hard limits: without CAP_SYS_RESOURCE the runtime could not raise them. */
export function rlimits(given: readonly Ulimit[] | null | undefined, kernel: Pick<Processes, "hardLimit">): NonNullable<OciProcess["rlimits"]> {
  const asked = validateUlimits(given);
  const names = new Set(asked.map((limit) => limit.Name));
  return [...ulimitDefaults.filter((limit) => !names.has(limit.Name)), ...asked].map((limit) => {
    const own = kernel.hardLimit(limit.Name);
    const hard = Math.min(unlimited(limit.Hard), own === Number.POSITIVE_INFINITY ? rlimitInfinity : own);
    return { type: `RLIMIT_${limit.Name.toUpperCase()}`, hard, soft: Math.min(unlimited(limit.Soft), hard) };
  });
}

export function validateUlimits(given: readonly Ulimit[] | null | undefined): readonly Ulimit[] {
  for (const limit of given ?? []) {
    if (!ulimitNames.includes(limit.Name)) throw new EngineError("invalidArgument", `invalid ulimit type: ${limit.Name ?? ""}`);
    if (limit.Hard !== -1 && (limit.Soft === -1 || limit.Soft > limit.Hard)) {
      throw new EngineError("invalidArgument", `ulimit soft limit must be less than or equal to hard limit: ${limit.Soft} > ${limit.Hard}`);
    }
  }
  return given ?? [];
}

const unlimited = (value: number): number => (value < 0 ? rlimitInfinity : value);
