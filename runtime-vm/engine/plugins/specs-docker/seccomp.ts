import { EngineError, messageOf } from "#base/errors.ts";
import { readFileSync } from "node:fs";

/** Docker's profile format (moby profiles/seccomp): OCI's, with conditions by capability, architecture and kernel. */
interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[] | null;
  readonly archMap?: readonly { architecture: string; subArchitectures: readonly string[] | null }[] | null;
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly Rule[] | null;
}

interface Conditions {
  readonly caps?: readonly string[] | null;
  readonly arches?: readonly string[] | null;
  readonly minKernel?: string;
}

interface Rule {
  readonly name?: string;
  readonly names?: readonly string[] | null;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly unknown[] | null;
  readonly includes?: Conditions | null;
  readonly excludes?: Conditions | null;
}

/** The machine a profile is resolved for. */
export interface SeccompHost {
  /** Node's: `x64`, `arm64`. */
  readonly arch: string;
  /** `uname -r`. */
  readonly kernel: string;
}

/** Docker's name of the architecture in conditions, and libseccomp's. */
const architectures: Readonly<Record<string, { condition: string; seccomp: string }>> = {
  x64: { condition: "amd64", seccomp: "SCMP_ARCH_X86_64" },
  arm64: { condition: "arm64", seccomp: "SCMP_ARCH_AARCH64" },
  riscv64: { condition: "riscv64", seccomp: "SCMP_ARCH_RISCV64" },
};

/** `linux.seccomp` for a container whose capability bound is `capabilities`. */
export function resolveSeccomp(profile: Profile, capabilities: readonly string[], host: SeccompHost): Record<string, unknown> {
  const arch = architectures[host.arch];
  const mapped = profile.archMap?.find((entry) => entry.architecture === arch?.seccomp);
  const applies = (rule: Rule): boolean =>
    !excluded(rule.excludes, capabilities, arch?.condition, host) && included(rule.includes, capabilities, arch?.condition, host);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : [...(profile.architectures ?? [])],
    ...(profile.flags ? { flags: profile.flags } : {}),
    ...(profile.listenerPath ? { listenerPath: profile.listenerPath, listenerMetadata: profile.listenerMetadata ?? "" } : {}),
    syscalls: (profile.syscalls ?? []).filter(applies).map((rule) => ({
      names: rule.names ?? (rule.name ? [rule.name] : []),
      action: rule.action,
      ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
      ...(rule.args && rule.args.length > 0 ? { args: rule.args } : {}),
    })),
  };
}

/** Any one condition that holds excludes. */
function excluded(when: Conditions | null | undefined, capabilities: readonly string[], arch: string | undefined, host: SeccompHost): boolean {
  if (!when) return false;
  if (when.arches?.some((name) => name === arch)) return true;
  if (when.caps?.some((name) => capabilities.includes(name))) return true;
  return when.minKernel !== undefined && when.minKernel !== "" && kernelAtLeast(host.kernel, when.minKernel);
}

/** All conditions must hold. */
function included(when: Conditions | null | undefined, capabilities: readonly string[], arch: string | undefined, host: SeccompHost): boolean {
  if (!when) return true;
  if (when.arches && when.arches.length > 0 && !when.arches.some((name) => name === arch)) return false;
  if (when.caps?.some((name) => !capabilities.includes(name))) return false;
  return when.minKernel === undefined || when.minKernel === "" || kernelAtLeast(host.kernel, when.minKernel);
}

export function kernelAtLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** A profile given by `--security-opt seccomp=FILE`: the CLI sends the file's text. */
export function parseProfile(text: string): Profile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new EngineError("invalidArgument", `Decoding seccomp profile failed: ${messageOf(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || !("defaultAction" in parsed)) {
    throw new EngineError("invalidArgument", "Decoding seccomp profile failed: it names no defaultAction");
  }
  const profile = parsed as Profile;
  if (profile.architectures?.length && profile.archMap?.length) {
    throw new EngineError(
      "invalidArgument",
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  return profile;
}

export type { Profile };

export function loadProfile(path: string): Profile {
  try {
    return parseProfile(readFileSync(path, "utf8"));
  } catch (error) {
    throw new EngineError("unavailable", `the default seccomp profile ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
