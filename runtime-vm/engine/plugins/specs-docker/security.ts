import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";

/** `--security-opt`, understood. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `unconfined`, a profile's text, or absent for the default. */
  readonly seccomp?: string;
  readonly apparmor?: string;
  readonly writableCgroups: boolean;
}

export function parseSecurityOptions(host: HostConfig): SecurityOptions {
  let noNewPrivileges = false;
  let writableCgroups = false;
  let seccomp: string | undefined;
  let apparmor: string | undefined;
  for (const option of host.SecurityOpt ?? []) {
    if (option === "no-new-privileges") {
      noNewPrivileges = true;
      continue;
    }
    if (option === "disable") continue;
    const [key, value] = keyValue(option);
    if (key === "seccomp") seccomp = value;
    else if (key === "apparmor") apparmor = value;
    else if (key === "no-new-privileges") noNewPrivileges = parseBool(option, value);
    else if (key === "writable-cgroups") writableCgroups = parseBool(option, value);
    else if (key !== "label") throw new EngineError("invalidArgument", `invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return { noNewPrivileges, writableCgroups, ...(seccomp === undefined ? {} : { seccomp }), ...(apparmor === undefined ? {} : { apparmor }) };
}

/** `key=value`, and the old `key:value`. */
function keyValue(option: string): [string, string] {
  const at = option.includes("=") ? option.indexOf("=") : option.indexOf(":");
  if (at < 0) throw new EngineError("invalidArgument", `invalid --security-opt 1: ${JSON.stringify(option)}`);
  return [option.slice(0, at), option.slice(at + 1)];
}

/** Go's strconv.ParseBool. */
function parseBool(option: string, value: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new EngineError("invalidArgument", `invalid --security-opt 2: ${JSON.stringify(option)}`);
}
