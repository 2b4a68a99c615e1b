import { EngineError } from "#base/errors.ts";
import type { ContainerConfig } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";

/**
 * A container's configuration completed by its image's, as `docker create` does it: an entrypoint of the container drops the
 * image's command, environment and labels are merged by name, the rest is taken where the container says nothing.
 */
export function mergeImageConfig(config: ContainerConfig, image: ImageRunConfig | undefined): ContainerConfig {
  const from: ImageRunConfig = image ?? {};
  const merged: { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] } = { ...config };
  merged.User = config.User || from.User || "";
  merged.Env = mergeEnv(config.Env ?? [], from.Env ?? []);
  merged.Labels = { ...from.Labels, ...config.Labels };
  merged.WorkingDir = config.WorkingDir || from.WorkingDir || "";
  mergeCommand(merged, config, from);
  const exposed = { ...from.ExposedPorts, ...config.ExposedPorts };
  if (Object.keys(exposed).length > 0) merged.ExposedPorts = exposed;
  const volumes = { ...from.Volumes, ...config.Volumes };
  merged.Volumes = Object.keys(volumes).length > 0 ? volumes : null;
  if (!config.StopSignal && from.StopSignal) merged.StopSignal = from.StopSignal;
  if (config.StopTimeout === undefined && from.StopTimeout !== undefined) merged.StopTimeout = from.StopTimeout;
  if (!config.Shell && from.Shell) merged.Shell = from.Shell;
  mergeHealthcheck(merged, config, from);
  if (commandOf(merged).length === 0) throw new EngineError("invalidArgument", "no command specified");
  return merged;
}

/** What runs: entrypoint, then command. */
export const commandOf = (config: ContainerConfig): string[] => [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];

type Merged = { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };

function mergeCommand(merged: Merged, config: ContainerConfig, from: ImageRunConfig): void {
  const ownEntrypoint = config.Entrypoint ?? [];
  const ownCommand = config.Cmd ?? [];
  if (ownEntrypoint.length === 0) {
    if (ownCommand.length === 0 && from.Cmd) {
      merged.Cmd = from.Cmd;
      if (from.ArgsEscaped) merged.ArgsEscaped = true;
    }
    // [""] is how the CLI says "no entrypoint at all"; a list without words takes the image's.
    if (config.Entrypoint === null || config.Entrypoint === undefined) merged.Entrypoint = from.Entrypoint ?? null;
  } else if (ownEntrypoint.length === 1 && ownEntrypoint[0] === "") {
    merged.Entrypoint = null;
  }
}

function mergeEnv(own: readonly string[], image: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const names = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

function mergeHealthcheck(merged: Merged, config: ContainerConfig, from: ImageRunConfig): void {
  if (!from.Healthcheck) return;
  const own = config.Healthcheck;
  if (!own) {
    merged.Healthcheck = from.Healthcheck;
    return;
  }
  const base = from.Healthcheck;
  merged.Healthcheck = {
    ...base,
    ...own,
    ...(own.Test && own.Test.length > 0 ? {} : base.Test ? { Test: base.Test } : {}),
    ...(own.Interval ? {} : base.Interval ? { Interval: base.Interval } : {}),
    ...(own.Timeout ? {} : base.Timeout ? { Timeout: base.Timeout } : {}),
    ...(own.StartPeriod ? {} : base.StartPeriod ? { StartPeriod: base.StartPeriod } : {}),
    ...(own.StartInterval ? {} : base.StartInterval ? { StartInterval: base.StartInterval } : {}),
    ...(own.Retries ? {} : base.Retries ? { Retries: base.Retries } : {}),
  };
}
