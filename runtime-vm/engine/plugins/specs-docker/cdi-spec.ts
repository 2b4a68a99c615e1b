import { parse } from "yaml";
import { type Decode, flag, list, record, text, texts, whole } from "./cdi-decode.ts";

/**
 * Specifications of the Container Device Interface: what a container needs to use a device, by the device's name.
 * https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */
const editsOf = record({
  env: list(text),
  deviceNodes: list(record({ path: text, hostPath: text, type: text, major: whole, minor: whole, fileMode: whole, permissions: text, uid: whole, gid: whole })),
  netDevices: list(record({ hostInterfaceName: text, name: text })),
  mounts: list(record({ hostPath: text, containerPath: text, options: list(text), type: text })),
  hooks: list(record({ hookName: text, path: text, args: list(text), env: list(text), timeout: whole })),
  additionalGids: list(whole),
  intelRdt: record({ closID: text, l3CacheSchema: text, memBwSchema: text, schemata: list(text), enableMonitoring: flag, enableCMT: flag, enableMBM: flag }),
});
const deviceOf = record({ name: text, annotations: texts, containerEdits: editsOf });
const specOf = record({ cdiVersion: text, kind: text, annotations: texts, devices: list(deviceOf), containerEdits: editsOf });

type Decoded<D> = D extends Decode<infer T> ? T : never;
export type Edits = Decoded<typeof editsOf>;
export type DeviceNode = NonNullable<Edits["deviceNodes"]>[number];
type Device = Decoded<typeof deviceOf>;

export interface CdiSpec {
  /** `vendor.com/class`. */
  readonly kind: string;
  readonly devices: ReadonlyMap<string, Edits>;
  /** What any of its devices needs besides. */
  readonly edits: Edits;
}

/** Reads a specification in JSON or YAML, which JSON is. Throws the reason when it is none that dockerd would take. */
export function parseCdiSpec(source: string): CdiSpec {
  // Go's library reads YAML 1.1.
  const spec = specOf(parse(source, { version: "1.1" }), "");
  const { kind = "", devices = [], containerEdits: edits = {} } = spec;
  checkKind(kind);
  checkEdits(edits, kind);
  if (devices.length === 0) throw new Error("it has no devices");
  const named = new Map<string, Edits>();
  for (const { name = "", containerEdits = {} } of devices) {
    if (!/^[a-zA-Z0-9]([a-zA-Z0-9_.:-]*[a-zA-Z0-9])?$/.test(name)) throw new Error(`invalid device name ${JSON.stringify(name)}`);
    if (named.has(name)) throw new Error(`multiple device ${JSON.stringify(name)}`);
    if (Object.keys(containerEdits).length === 0) throw new Error(`device ${JSON.stringify(name)} has no container edits`);
    checkEdits(containerEdits, name);
    named.set(name, containerEdits);
  }
  checkVersion(spec.cdiVersion ?? "", spec, devices);
  return { kind, devices: named, edits };
}

function checkKind(kind: string): void {
  const [vendor = "", ...rest] = kind.split("/");
  const name = rest.join("/");
  for (const [what, part, pattern] of [
    ["vendor", vendor, /^[a-zA-Z]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/],
    ["class", name, /^[a-zA-Z]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/],
  ] as const) {
    if (!pattern.test(part)) throw new Error(`invalid ${what} ${JSON.stringify(part)} in the kind ${JSON.stringify(kind)}`);
  }
}

const hookNames = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

function checkEdits({ env = [], deviceNodes = [], mounts = [], hooks = [] }: Edits, of: string): void {
  const refuse = (what: string): Error => new Error(`invalid ${what} in the container edits of ${JSON.stringify(of)}`);
  for (const entry of env) if (!/^[^=]+=/.test(entry)) throw refuse(`environment variable ${JSON.stringify(entry)}`);
  for (const { path = "", type = "", permissions = "" } of deviceNodes) {
    if (path === "") throw refuse("device node without a path");
    if (!["", "b", "c", "u", "p"].includes(type)) throw refuse(`device type ${JSON.stringify(type)}`);
    if (!/^[rwm]*$/.test(permissions)) throw refuse(`device permissions ${JSON.stringify(permissions)}`);
  }
  for (const { hostPath = "", containerPath = "" } of mounts) if (hostPath === "" || containerPath === "") throw refuse("mount without both of its paths");
  for (const { hookName = "", path = "" } of hooks) if (!hookNames.includes(hookName) || path === "") throw refuse(`hook ${JSON.stringify(hookName)}`);
}

/** Whoever uses a field says so by the version that brought it. */
function checkVersion(version: string, spec: Decoded<typeof specOf>, devices: readonly Device[]): void {
  if (!/^\d+\.\d+\.\d+$/.test(version) || isBelow("1.1.0", version)) throw new Error(`unknown cdiVersion ${JSON.stringify(version)}`);
  const all = [spec.containerEdits ?? {}, ...devices.map(({ containerEdits = {} }) => containerEdits)];
  const annotated = spec.annotations !== undefined || devices.some(({ annotations }) => annotations !== undefined);
  const needs: readonly (readonly [string, boolean])[] = [
    ["1.1.0", all.some(({ netDevices, intelRdt = {} }) => netDevices !== undefined || intelRdt.schemata !== undefined)],
    ["0.7.0", all.some(({ additionalGids, intelRdt }) => additionalGids !== undefined || intelRdt !== undefined)],
    ["0.6.0", annotated || /\/.*\./.test(spec.kind ?? "")],
    ["0.5.0", devices.some(({ name = "" }) => /^\d/.test(name)) || all.some(({ deviceNodes = [] }) => deviceNodes.some((node) => node.hostPath !== undefined))],
    ["0.4.0", all.some(({ mounts = [] }) => mounts.some(({ type }) => type !== undefined))],
    ["0.3.0", true],
  ];
  const least = needs.find(([, needed]) => needed)?.[0] ?? "0.3.0";
  if (isBelow(version, least)) throw new Error(`its cdiVersion ${version} must be at least ${least} for what it holds`);
}

function isBelow(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i += 1) if (x?.[i] !== y?.[i]) return (x?.[i] ?? 0) < (y?.[i] ?? 0);
  return false;
}
