import { closeSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, messageOf } from "#base/errors.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import { type CdiSpec, type Edits, parseCdiSpec } from "./cdi-spec.ts";

export interface CdiHost {
  readonly cdiSpecDirs: readonly string[];
  readonly hostPrefix: string;
  readonly kernel: Pick<Kernel, "openInRoot">;
}

export interface NamedDevice {
  readonly spec: CdiSpec;
  readonly edits: Edits;
  readonly file: string;
}

export interface CdiDevices {
  /** By their whole names, `vendor.com/class=name`. */
  readonly devices: ReadonlyMap<string, NamedDevice>;
  /** Files that count for nothing, and why. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * The devices that the specifications of this machine name, read anew each time. A later directory wins over an earlier one; two
 * files of one directory that name the same device make it none.
 */
export function readCdiDevices(machine: CdiHost): CdiDevices {
  const devices = new Map<string, NamedDevice>();
  const problems: { file: string; reason: string }[] = [];
  const conflicting = new Set<string>();
  for (const directory of machine.cdiSpecDirs) {
    for (const file of specFiles(machine, directory)) {
      const spec = readSpec(machine, file, (reason) => problems.push({ file, reason }));
      for (const [name, edits] of spec?.devices ?? []) {
        const id = `${spec?.kind}=${name}`;
        const other = devices.get(id);
        if (other !== undefined && dirname(other.file) === directory) {
          const reason = `conflicting device ${JSON.stringify(id)} (specs ${JSON.stringify(file)}, ${JSON.stringify(other.file)})`;
          problems.push({ file, reason }, { file: other.file, reason });
          conflicting.add(id);
        } else conflicting.delete(id);
        if (spec !== undefined) devices.set(id, { spec, edits, file });
      }
    }
  }
  for (const id of conflicting) devices.delete(id);
  return { devices, problems };
}

/** The path at which this process sees the host's `path`, links followed as the host follows them. Undefined: there is nothing. */
export function seenAt({ kernel, hostPrefix }: CdiHost, path: string): string | undefined {
  const openPath = 0o10000000;
  try {
    const fd = kernel.openInRoot(hostPrefix || "/", path, openPath);
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

function specFiles(machine: CdiHost, directory: string): string[] {
  const seen = seenAt(machine, directory);
  if (seen === undefined) return [];
  const names = readdirSync(seen).filter((name) => /\.(json|yaml)$/.test(name));
  return names.toSorted().map((name) => join(directory, name));
}

function readSpec(machine: CdiHost, file: string, onProblem: (reason: string) => void): CdiSpec | undefined {
  try {
    const seen = seenAt(machine, file);
    if (seen === undefined) throw new Error(`${basename(file)} is a link that leads to nothing`);
    return parseCdiSpec(readFileSync(seen, "utf8"));
  } catch (error) {
    onProblem(`failed to load CDI Spec: ${messageOf(error).split("\n", 1)[0]}`);
    return undefined;
  }
}
