import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostConfig } from "#api/containers.ts";
import type { DeviceRequest } from "#api/resources.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { OciMount } from "#core/specs/spec.ts";
import type { DeviceRule } from "./defaults.ts";
import { deviceAt, type OciDevice } from "./devices.ts";

/**
 * Devices by name (`--device VENDOR/CLASS=NAME`, Container Device Interface): a specification file on the machine says what a
 * container needs to use one. https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */
interface Edits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly { path: string; hostPath?: string; permissions?: string; uid?: number; gid?: number; fileMode?: number }[];
  readonly mounts?: readonly { hostPath: string; containerPath: string; options?: readonly string[] }[];
  readonly hooks?: readonly unknown[];
  readonly additionalGids?: readonly number[];
}

interface CdiSpec {
  readonly kind: string;
  readonly devices?: readonly { readonly name: string; readonly containerEdits?: Edits }[];
  readonly containerEdits?: Edits;
}

/** What devices by name add to a container. */
export interface InjectedDevices {
  readonly env: readonly string[];
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly DeviceRule[];
  readonly mounts: readonly OciMount[];
  readonly groups: readonly number[];
}

export interface CdiHost {
  readonly cdiSpecDirs: readonly string[];
  readonly hostPrefix: string;
}

/** Class invalidArgument, in dockerd's words, for what this machine does not have: `--gpus` needs a driver that knows them. */
export function requestedDevices(host: HostConfig, machine: CdiHost): InjectedDevices {
  const requests = host.DeviceRequests ?? [];
  const other = requests.find(({ Driver }) => Driver !== "cdi");
  if (other !== undefined) throw invalid(`could not select device driver ${JSON.stringify(other.Driver ?? "")} with capabilities: ${capabilities(other)}`);
  const names = requests.flatMap(({ DeviceIDs }) => DeviceIDs ?? []);
  if (names.length === 0) return { env: [], nodes: [], rules: [], mounts: [], groups: [] };
  return inject(names, readSpecs(machine), machine);
}

/** As Go prints a list of lists. */
const capabilities = ({ Capabilities }: DeviceRequest): string => `[${(Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ")}]`;

function inject(names: readonly string[], specs: readonly CdiSpec[], machine: CdiHost): InjectedDevices {
  const edits: Edits[] = [];
  const unknown: string[] = [];
  const used = new Set<CdiSpec>();
  for (const name of names) {
    const [kind = "", device = ""] = name.split("=", 2);
    const spec = specs.find((one) => one.kind === kind && one.devices?.some((each) => each.name === device));
    const found = spec?.devices?.find((each) => each.name === device);
    if (spec === undefined || found === undefined) unknown.push(name);
    else {
      edits.push(found.containerEdits ?? {});
      used.add(spec);
    }
  }
  if (unknown.length > 0) throw invalid(`CDI device injection failed: unresolvable CDI devices ${unknown.join(", ")}`);
  return sum([...edits, ...[...used].map(({ containerEdits = {} }) => containerEdits)], machine);
}

function sum(edits: readonly Edits[], { hostPrefix }: CdiHost): InjectedDevices {
  if (edits.some(({ hooks }) => (hooks?.length ?? 0) > 0)) {
    throw invalid("CDI device injection failed: the device wants programs of the machine run at the container's start (hooks), which this engine does not do");
  }
  const nodes = edits.flatMap(({ deviceNodes = [] }) =>
    deviceNodes.map((node) => {
      const { path, hostPath = path, permissions = "rwm", uid, gid, fileMode } = node;
      const found = deviceAt(hostPath, path);
      if (found === undefined) throw invalid(`CDI device injection failed: ${hostPath} is no device`);
      const owner = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }), ...(fileMode === undefined ? {} : { fileMode }) };
      return { node: { ...found, ...owner }, permissions };
    }),
  );
  return {
    env: edits.flatMap(({ env = [] }) => env),
    nodes: nodes.map(({ node }) => node),
    rules: nodes.map(({ node: { type, major, minor }, permissions }) => ({ allow: true, type, major, minor, access: permissions })),
    mounts: edits.flatMap(({ mounts = [] }) =>
      mounts.map(({ hostPath, containerPath, options = ["ro", "nosuid", "nodev", "rbind"] }) => ({
        destination: containerPath,
        type: "bind",
        source: hostPrefix + hostPath,
        options: options.some((option) => option === "bind" || option === "rbind") ? [...options] : ["rbind", ...options],
      })),
    ),
    groups: edits.flatMap(({ additionalGids = [] }) => additionalGids),
  };
}

/** Later directories win, so they are asked first. */
function readSpecs({ cdiSpecDirs, hostPrefix }: CdiHost): CdiSpec[] {
  return cdiSpecDirs.toReversed().flatMap((dir) => {
    const directory = hostPrefix + dir;
    if (!existsSync(directory)) return [];
    const names = readdirSync(directory).filter((name) => /\.(json|yaml)$/.test(name));
    return names.toSorted().map((name) => readSpec(join(directory, name)));
  });
}

/** JSON, which is also what a .yaml file may hold. */
function readSpec(path: string): CdiSpec {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as CdiSpec;
  } catch (error) {
    throw invalid(`CDI device injection failed: ${path} cannot be read (this engine reads CDI specifications in JSON): ${messageOf(error)}`);
  }
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
