import type { HostConfig } from "#api/containers.ts";
import type { DeviceRequest } from "#api/resources.ts";
import { EngineError } from "#base/errors.ts";
import type { OciMount } from "#core/specs/spec.ts";
import { type CdiHost, readCdiDevices, seenAt } from "./cdi-registry.ts";
import type { CdiSpec, DeviceNode, Edits } from "./cdi-spec.ts";
import type { DeviceRule } from "./defaults.ts";
import { deviceAt, type OciDevice } from "./devices.ts";

/** What devices by name (`--device VENDOR/CLASS=NAME`) add to a container. */
export interface InjectedDevices {
  readonly env: readonly string[];
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly DeviceRule[];
  readonly mounts: readonly OciMount[];
  readonly groups: readonly number[];
}

/** Whose the nodes are when their specification does not say. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Class invalidArgument, in dockerd's words, for what this machine does not have: `--gpus` needs a driver that knows them. */
export function requestedDevices(host: HostConfig, owner: Owner, machine: CdiHost): InjectedDevices {
  const requests = host.DeviceRequests ?? [];
  const other = requests.find(({ Driver }) => Driver !== "cdi");
  if (other !== undefined) throw invalid(`could not select device driver ${JSON.stringify(other.Driver ?? "")} with capabilities: ${capabilities(other)}`);
  if (requests.some(({ Count = 0 }) => Count !== 0)) throw invalid("unexpected count in CDI device request");
  if (requests.some(({ Options }) => Object.keys(Options ?? {}).length > 0)) throw invalid("unexpected options in CDI device request");
  const names = requests.flatMap(({ DeviceIDs }) => DeviceIDs ?? []);
  if (names.length === 0) return { env: [], nodes: [], rules: [], mounts: [], groups: [] };
  return sum(editsFor(names, machine), owner, machine);
}

/** As Go prints a list of lists. */
const capabilities = ({ Capabilities }: DeviceRequest): string => `[${(Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ")}]`;

/** Those of each device, and before them, once, those of its specification. */
function editsFor(names: readonly string[], machine: CdiHost): Edits[] {
  const { devices, problems } = readCdiDevices(machine);
  const unknown = names.filter((name) => !devices.has(name));
  if (unknown.length > 0) {
    const skipped = problems.map(({ file, reason }) => `${file}: ${reason}`).join("; ");
    throw failed(`unresolvable CDI devices ${unknown.join(", ")}${skipped === "" ? "" : ` (not read: ${skipped})`}`);
  }
  const used = new Set<CdiSpec>();
  return names.flatMap((name) => {
    const device = devices.get(name);
    if (device === undefined) return [];
    const first = !used.has(device.spec);
    used.add(device.spec);
    return first ? [device.spec.edits, device.edits] : [device.edits];
  });
}

function sum(edits: readonly Edits[], owner: Owner, machine: CdiHost): InjectedDevices {
  for (const { hooks = [], netDevices, intelRdt } of edits) {
    if (hooks.length > 0) throw failed("the device wants programs of the machine run at the container's start (hooks), which this engine does not do");
    if (netDevices !== undefined)
      throw failed("the device moves network interfaces of the machine into the container (netDevices), which this engine does not do");
    if (intelRdt !== undefined) throw failed("the device asks for shares of the processor's cache (intelRdt), which this engine does not give");
  }
  const nodes = edits.flatMap(({ deviceNodes = [] }) => deviceNodes.map((node) => ({ node: nodeOf(node, owner), permissions: node.permissions || "rwm" })));
  return {
    env: edits.flatMap(({ env = [] }) => env),
    nodes: lastOf(
      nodes.map(({ node }) => node),
      ({ path }) => path,
    ),
    rules: nodes.map(({ node: { type, major, minor }, permissions }) => ({ allow: true, type, major, minor, access: permissions })),
    mounts: lastOf(
      edits.flatMap(({ mounts = [] }) => mounts.map((mount) => mountOf(mount, machine))),
      ({ destination }) => destination,
    ),
    groups: edits.flatMap(({ additionalGids = [] }) => additionalGids),
  };
}

/** What a later one says of the same thing counts. */
const lastOf = <T>(all: readonly T[], keyOf: (one: T) => string): T[] => [...new Map(all.map((one) => [keyOf(one), one])).values()];

function nodeOf({ path = "", hostPath = path, type, major, minor = 0, uid, gid, fileMode }: DeviceNode, owner: Owner): OciDevice {
  const found = deviceAt(hostPath, path);
  const told = (type === "b" || type === "c") && major !== undefined ? ({ type, major, minor } as const) : found;
  if (told === undefined) throw failed(`failed to inject devices: failed to stat CDI host device ${JSON.stringify(hostPath)}: no such file or directory`);
  return {
    path,
    type: told.type,
    major: told.major,
    minor: told.minor,
    fileMode: fileMode ?? found?.fileMode ?? 0o666,
    uid: uid ?? (owner.uid || (found?.uid ?? 0)),
    gid: gid ?? (owner.gid || (found?.gid ?? 0)),
  };
}

type Mount = NonNullable<Edits["mounts"]>[number];

function mountOf({ hostPath = "", containerPath = "", type = "bind", options = ["ro", "nosuid", "nodev", "rbind"] }: Mount, machine: CdiHost): OciMount {
  if (type !== "bind") return { destination: containerPath, type, source: hostPath, options: [...options] };
  const source = seenAt(machine, hostPath);
  if (source === undefined) throw failed(`the device's mount source ${hostPath} is not there`);
  const bound = options.some((option) => option === "bind" || option === "rbind");
  return { destination: containerPath, type, source, options: bound ? [...options] : ["rbind", ...options] };
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
const failed = (reason: string): EngineError => invalid(`CDI device injection failed: ${reason}`);
