import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import { lstatSync, readdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { allDevicesRule, deviceRules, type DeviceRule } from "./defaults.ts";

/** A node in `linux.devices`. */
export interface OciDevice {
  readonly type: "c" | "b";
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ContainerDevices {
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly DeviceRule[];
}

/** The nodes and cgroup rules a container gets: Docker's defaults, `--device`, `--device-cgroup-rule`, or everything when privileged. */
export function containerDevices(host: HostConfig, devRoot = "/dev"): ContainerDevices {
  const ruled = (host.DeviceCgroupRules ?? []).map(parseRule);
  if (host.Privileged) return { nodes: allNodes(devRoot), rules: [allDevicesRule, ...ruled] };
  const nodes: OciDevice[] = [];
  const rules: DeviceRule[] = [];
  for (const mapping of host.Devices ?? []) {
    const access = validAccess(mapping.CgroupPermissions || "rwm");
    for (const node of nodesAt(mapping.PathOnHost, mapping.PathInContainer || mapping.PathOnHost)) {
      nodes.push(node);
      rules.push({ allow: true, type: node.type, major: node.major, minor: node.minor, access });
    }
  }
  return { nodes, rules: [...deviceRules, ...rules, ...ruled] };
}

/** Checks letters and rules at create; whether a device exists is known at start only. */
export function validateDevices(host: HostConfig): void {
  for (const mapping of host.Devices ?? []) validAccess(mapping.CgroupPermissions || "rwm");
  for (const rule of host.DeviceCgroupRules ?? []) parseRule(rule);
}

function validAccess(letters: string): string {
  if (!/^[rwm]{1,3}$/.test(letters) || new Set(letters).size !== letters.length) {
    throw new EngineError("invalidArgument", `invalid device mode: ${letters}: letters of "rwm", each once`);
  }
  return letters;
}

function parseRule(rule: string): DeviceRule {
  const parsed = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(rule);
  if (!parsed) throw new EngineError("invalidArgument", `invalid device cgroup rule format: '${rule}'`);
  const [, type = "a", major = "*", minor = "*", access = ""] = parsed;
  return { allow: true, type, ...(major === "*" ? {} : { major: Number(major) }), ...(minor === "*" ? {} : { minor: Number(minor) }), access };
}

/** One device, or every device below a directory. */
function nodesAt(pathOnHost: string, pathInContainer: string): OciDevice[] {
  // Node would take it for the directory this process is in.
  if (pathOnHost === "")
    throw new EngineError("invalidArgument", 'error gathering device information while adding custom device "": no such file or directory');
  let resolved: string;
  let stat: Stats;
  try {
    resolved = realpathSync(pathOnHost);
    stat = statSync(resolved);
  } catch (error) {
    const reason = codeOf(error) === "ENOENT" ? "no such file or directory" : messageOf(error);
    throw new EngineError("invalidArgument", `error gathering device information while adding custom device ${JSON.stringify(pathOnHost)}: ${reason}`);
  }
  const node = nodeOf(pathInContainer, stat);
  if (node) return [node];
  if (!stat.isDirectory()) {
    throw new EngineError("invalidArgument", `error gathering device information while adding custom device ${JSON.stringify(pathOnHost)}: not a device node`);
  }
  return walkNodes(resolved, (path) => join(pathInContainer, path.slice(resolved.length)));
}

/** The device at `pathOnHost`, as a node at `path`; undefined when there is none. */
export function deviceAt(pathOnHost: string, path: string): OciDevice | undefined {
  const stat = statSync(pathOnHost, { throwIfNoEntry: false });
  return stat === undefined ? undefined : nodeOf(path, stat);
}

/** Every node of the machine, but for what a container makes itself. */
const allNodes = (devRoot: string): OciDevice[] => walkNodes(devRoot, (path) => path);

const ownDirectories = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

function walkNodes(dir: string, rename: (path: string) => string): OciDevice[] {
  const found: OciDevice[] = [];
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    let stat: Stats;
    try {
      stat = lstatSync(path);
    } catch (error) {
      // Unplugged while we looked.
      if (codeOf(error) === "ENOENT") continue;
      throw error;
    }
    if (stat.isDirectory() && !ownDirectories.has(name)) found.push(...walkNodes(path, rename));
    const node = name === "console" ? undefined : nodeOf(rename(path), stat);
    if (node) found.push(node);
  }
  return found;
}

function nodeOf(path: string, stat: Stats): OciDevice | undefined {
  const type = stat.isCharacterDevice() ? "c" : stat.isBlockDevice() ? "b" : undefined;
  if (!type) return undefined;
  return { type, path, ...numbersOf(stat.rdev), fileMode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** glibc's split of a device number. */
export const numbersOf = (rdev: number): { major: number; minor: number } => {
  const wide = BigInt(rdev);
  return {
    major: Number(((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n)),
    minor: Number((wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)),
  };
};
