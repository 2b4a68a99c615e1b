import { EngineError } from "#base/errors.ts";

/** What a manifest runs on (image-spec descriptor.md, "platform"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const knownSystems = new Set("aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows".split(" "));
const knownArchitectures = new Set("386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x sparc64 wasm".split(" "));
const aliases: Readonly<Record<string, Pick<Platform, "architecture" | "variant">>> = {
  i386: { architecture: "386" },
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};
const defaultVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/** The platform this engine runs on, from Node's name of the architecture. */
export function hostPlatform(nodeArchitecture: string): Platform {
  const architecture = { x64: "amd64", ia32: "386" }[nodeArchitecture] ?? nodeArchitecture;
  return normalized({ os: "linux", architecture });
}

/** `os`, `arch`, `os/arch` or `os/arch/variant`, as `--platform` takes them; what is left out comes from the host. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.split("/");
  for (const part of parts) {
    if (!/^[A-Za-z0-9_.-]+$/.test(part)) {
      throw invalid(
        `${JSON.stringify(part)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
      );
    }
  }
  const [first, second, third] = parts;
  if (parts.length > 3) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
  if (second !== undefined) return normalized({ os: first!, architecture: second, ...(third === undefined ? {} : { variant: third }) });
  if (knownSystems.has(first!.toLowerCase())) return normalized({ ...host, os: first! });
  const alone = normalized({ os: host.os, architecture: first! });
  if (knownArchitectures.has(alone.architecture)) return alone;
  throw invalid(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
}

/** Lower case, aliases resolved, a variant that is the architecture's default left out. */
export function normalized(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const name = platform.architecture.toLowerCase();
  const { architecture, variant: implied } = aliases[name] ?? { architecture: name };
  const given = platform.variant?.toLowerCase() || implied || (architecture === "arm" ? "v7" : undefined);
  const variant = given !== undefined && /^\d/.test(given) ? `v${given}` : given;
  return { os, architecture, ...(variant === undefined || variant === defaultVariants[architecture] ? {} : { variant }) };
}

export const formatPlatform = (platform: Platform): string => [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join("/");

/** How well a manifest's platform suits the wanted one: 0 is exact, higher is worse, undefined is not at all. */
export function rankPlatform(wanted: Platform, offered: Platform): number | undefined {
  const offer = normalized(offered);
  const rank = runnable(normalized(wanted)).findIndex((one) => formatPlatform(one) === formatPlatform(offer));
  return rank < 0 ? undefined : rank;
}

/** What a processor of this kind also runs, best first. */
function runnable(wanted: Platform): Platform[] {
  const { os, architecture, variant } = wanted;
  const arm = (version: number): Platform[] =>
    Array.from({ length: Math.max(0, version - 4) }, (_, i) => ({ os, architecture: "arm", variant: `v${version - i}` }));
  if (architecture === "arm") return arm(Number(variant?.slice(1)) || 7);
  if (architecture === "arm64") return [wanted, ...(variant === undefined ? [] : [{ os, architecture }]), ...arm(8)];
  if (architecture === "amd64") {
    const levels = Array.from({ length: Math.max(0, (Number(variant?.slice(1)) || 1) - 2) }, (_, i) => ({
      os,
      architecture,
      variant: `v${Number(variant!.slice(1)) - 1 - i}`,
    }));
    return [wanted, ...levels, ...(variant === undefined ? [] : [{ os, architecture }]), { os, architecture: "386" }];
  }
  return [wanted];
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
