import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { ContainerConfig } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { mergeImageConfig } from "../specs/merge.ts";
import { parseSignal } from "./signals.ts";

/** The container's configuration completed by its image's, with every field inspect shows, checked as dockerd checks it. */
export function completeConfig(given: ContainerConfig, image: ImageRunConfig | undefined, hostname: string): ContainerConfig {
  const merged = mergeImageConfig(given, image);
  check(merged);
  return {
    ...withoutEmpty(merged),
    Hostname: merged.Hostname || hostname,
    Domainname: merged.Domainname ?? "",
    User: merged.User ?? "",
    AttachStdin: merged.AttachStdin ?? false,
    AttachStdout: merged.AttachStdout ?? false,
    AttachStderr: merged.AttachStderr ?? false,
    Tty: merged.Tty ?? false,
    OpenStdin: merged.OpenStdin ?? false,
    StdinOnce: merged.StdinOnce ?? false,
    Env: merged.Env ?? [],
    Cmd: merged.Cmd ?? null,
    Volumes: merged.Volumes ?? null,
    WorkingDir: merged.WorkingDir ? posix.resolve(merged.WorkingDir) : "",
    Entrypoint: merged.Entrypoint ?? null,
    OnBuild: merged.OnBuild ?? null,
    Labels: merged.Labels ?? {},
  };
}

/** What is empty is not shown, as if it had not been given. */
function withoutEmpty({ StopSignal, Shell, Healthcheck, ...config }: ContainerConfig): ContainerConfig {
  const { Test, ...times } = Healthcheck ?? {};
  return {
    ...config,
    ...(StopSignal ? { StopSignal } : {}),
    ...(Shell && Shell.length > 0 ? { Shell } : {}),
    ...(Healthcheck === undefined ? {} : { Healthcheck: { ...(Test && Test.length > 0 ? { Test } : {}), ...times } }),
  };
}

function check(config: ContainerConfig): void {
  const directory = config.WorkingDir ?? "";
  if (directory !== "" && !directory.startsWith("/")) {
    throw new EngineError("invalidArgument", `the working directory '${directory}' is invalid, it needs to be an absolute path`);
  }
  for (const entry of config.Env ?? []) {
    if (entry === "" || entry.startsWith("=")) throw new EngineError("invalidArgument", `invalid environment variable: ${entry}`);
  }
  if (config.StopSignal) parseSignal(config.StopSignal);
  for (const path of Object.keys(config.Volumes ?? {})) {
    if (path === "" || path === "/") throw new EngineError("invalidArgument", `invalid volume specification: '${path}'`);
  }
  for (const port of Object.keys(config.ExposedPorts ?? {})) {
    if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/i.test(port)) throw new EngineError("invalidArgument", `invalid port specification: ${JSON.stringify(port)}`);
  }
  checkHealthcheck(config);
}

const nanosPerMs = 1_000_000;

function checkHealthcheck({ Healthcheck: health }: ContainerConfig): void {
  if (health === undefined) return;
  const kind = health.Test?.[0];
  if (kind !== undefined && kind !== "" && !["NONE", "CMD", "CMD-SHELL"].includes(kind)) {
    throw new EngineError("invalidArgument", `unknown type in Healthcheck: ${kind}; use NONE, CMD or CMD-SHELL`);
  }
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const nanos = health[name] ?? 0;
    if (nanos !== 0 && nanos < nanosPerMs) throw new EngineError("invalidArgument", `${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0) throw new EngineError("invalidArgument", "Retries in Healthcheck cannot be negative");
}
