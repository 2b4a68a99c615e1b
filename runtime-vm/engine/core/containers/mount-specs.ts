import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { ContainerConfig, HostConfig, MountSpec } from "#api/containers.ts";

/** A mount as it was asked for, checked, before any volume is made or any path looked at. */
export interface MountRequest {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Bind: absolute path. Volume: its name, "" for an anonymous one. Image: its reference. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly mode: string;
  readonly propagation: string;
  readonly nonRecursive: boolean;
  readonly readOnlyNonRecursive?: boolean;
  readonly createSource: boolean;
  readonly copyUp: boolean;
  readonly volume?: {
    readonly driver?: string;
    readonly options?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly subpath?: string;
  };
  readonly options?: readonly string[];
  /** Image: the part of it that is mounted. */
  readonly subpath?: string;
}

const plain = { readOnly: false, mode: "", propagation: "", nonRecursive: false, createSource: false, copyUp: true } as const;

/** `HostConfig.Binds`, `Mounts` and `Config.Volumes` in dockerd's order; whoever comes later gives way only as an image's volume. */
export function parseMounts(config: ContainerConfig, hostConfig: HostConfig, inherited: readonly { destination: string }[]): MountRequest[] {
  const requests = [...(hostConfig.Binds ?? []).map((bind) => parseBind(bind, hostConfig.VolumeDriver)), ...(hostConfig.Mounts ?? []).map(parseMountSpec)];
  const taken = new Set<string>();
  for (const { destination } of requests) {
    if (taken.has(destination)) throw new EngineError("invalidArgument", `Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  for (const path of Object.keys(hostConfig.Tmpfs ?? {})) {
    const destination = posix.resolve(path);
    if (taken.has(destination)) throw new EngineError("invalidArgument", `Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  for (const { destination } of inherited) taken.add(destination);
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = posix.resolve("/", path);
    if (!taken.has(destination)) requests.push({ ...plain, type: "volume", source: "", destination });
    taken.add(destination);
  }
  return requests;
}

/** `[SOURCE:]DESTINATION[:MODE]`: an absolute source is a path, any other a volume. */
function parseBind(bind: string, volumeDriver: string | undefined): MountRequest {
  const parts = bind.split(":");
  const [first = "", second = "", third] = parts;
  if (parts.length > 3 || bind === "" || parts.some((part) => part === "")) throw invalidSpec(bind);
  const source = parts.length === 1 ? "" : first;
  const given = parts.length === 1 ? first : second;
  if (parts.length === 2 && parseMode(second, "volume") !== undefined) throw invalidSpec(bind);
  const type = source.startsWith("/") ? "bind" : "volume";
  const destination = checkDestination(given, (reason) => invalidSpec(bind, `invalid mount config for type "${type}": ${reason}`));
  const mode = parseMode(third ?? "", type);
  if (mode === undefined) throw new EngineError("invalidArgument", `invalid mode: ${third}`);
  return {
    ...plain,
    type,
    source: type === "bind" ? posix.resolve(source) : source,
    destination,
    readOnly: mode.readOnly,
    mode: third ?? (type === "volume" ? "z" : ""),
    propagation: mode.propagation || (type === "bind" ? "rprivate" : ""),
    createSource: type === "bind",
    copyUp: type === "volume" && !mode.noCopy,
    ...(type === "volume" && volumeDriver ? { volume: { driver: volumeDriver } } : {}),
  };
}

const invalidSpec = (bind: string, reason?: string): EngineError =>
  new EngineError("invalidArgument", `invalid volume specification: '${bind}'${reason === undefined ? "" : `: ${reason}`}`);

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

interface Mode {
  readonly readOnly: boolean;
  readonly propagation: string;
  readonly noCopy: boolean;
}

/** The words after the second colon; undefined when one is unknown, or two of a kind are there. */
export function parseMode(text: string, type: "bind" | "volume"): Mode | undefined {
  const counts = { access: 0, label: 0, propagation: 0, copy: 0, consistency: 0 };
  let mode: Mode = { readOnly: false, propagation: "", noCopy: false };
  for (const word of text === "" ? [] : text.split(",")) {
    if (word === "ro" || word === "rw") {
      counts.access += 1;
      mode = { ...mode, readOnly: word === "ro" };
    } else if (word === "z" || word === "Z") counts.label += 1;
    else if (word === "nocopy" && type === "volume") {
      counts.copy += 1;
      mode = { ...mode, noCopy: true };
    } else if (propagations.has(word) && type === "bind") {
      counts.propagation += 1;
      mode = { ...mode, propagation: word };
    } else if (["consistent", "cached", "delegated", "default"].includes(word)) counts.consistency += 1;
    else return undefined;
  }
  return Object.values(counts).some((count) => count > 1) ? undefined : mode;
}

function checkDestination(path: string, wrong: (reason: string) => EngineError): string {
  if (path === "") throw wrong("field Target must not be empty");
  if (!path.startsWith("/")) throw wrong(`invalid mount path: '${path}' mount path must be absolute`);
  const destination = posix.resolve(path);
  if (destination === "/") throw wrong("invalid specification: destination can't be '/'");
  return destination;
}

/** One entry of `HostConfig.Mounts` (`--mount`). */
function parseMountSpec(spec: MountSpec): MountRequest {
  const wrong = (reason: string): EngineError => new EngineError("invalidArgument", `invalid mount config for type "${spec.Type ?? ""}": ${reason}`);
  const type = spec.Type as MountRequest["type"];
  for (const [field, owner] of [
    ["BindOptions", "bind"],
    ["VolumeOptions", "volume"],
    ["TmpfsOptions", "tmpfs"],
    ["ImageOptions", "image"],
  ] as const) {
    if (spec[field] === undefined || owner === type) continue;
    if (field === "ImageOptions") throw wrong("field ImageOptions must not be specified");
    throw new EngineError("invalidArgument", `${field} must not be specified on mount type "${spec.Type}"`);
  }
  const destination = checkDestination(spec.Target ?? "", wrong);
  if (!["bind", "volume", "tmpfs", "image"].includes(spec.Type)) throw wrong("mount type unknown");
  const source = spec.Source ?? "";
  const base = { ...plain, type, destination, readOnly: spec.ReadOnly ?? false };
  switch (type) {
    case "bind":
      return { ...base, ...bindOf(spec, source, wrong) };
    case "tmpfs":
      if (source !== "") throw wrong("field Source must not be specified");
      return { ...base, source: "", copyUp: false, options: tmpfsOptions(spec, wrong) };
    case "volume":
      return { ...base, ...volumeOf(spec, source, wrong) };
    case "image":
      if (source === "") throw wrong("field Source must not be empty");
      return { ...base, source, readOnly: true, propagation: "rprivate", copyUp: false, ...subpathOf(spec.ImageOptions?.Subpath, wrong) };
  }
}

function bindOf(
  spec: MountSpec,
  source: string,
  wrong: (reason: string) => EngineError,
): Pick<MountRequest, "source" | "propagation" | "nonRecursive" | "readOnlyNonRecursive" | "createSource" | "copyUp"> {
  if (source === "") throw wrong("field Source must not be empty");
  if (!source.startsWith("/")) throw wrong(`invalid mount path: '${source}' mount path must be absolute`);
  const propagation = spec.BindOptions?.Propagation || "rprivate";
  if (!propagations.has(propagation)) throw wrong(`invalid propagation mode: ${propagation}`);
  const { ReadOnlyForceRecursive: forced, ReadOnlyNonRecursive: shallow } = spec.BindOptions ?? {};
  const conflict = forced !== true ? "" : spec.ReadOnly !== true ? "!ReadOnly" : shallow === true ? "ReadOnlyNonRecursive" : "";
  if (conflict !== "") throw new EngineError("invalidArgument", `mount options conflict: ${conflict} && BindOptions.ReadOnlyForceRecursive`);
  const { NonRecursive: nonRecursive = false, CreateMountpoint: createSource = false } = spec.BindOptions ?? {};
  const readOnlyNonRecursive = spec.BindOptions?.ReadOnlyNonRecursive === true ? { readOnlyNonRecursive: true } : {};
  return { source: posix.resolve(source), propagation, nonRecursive, createSource, copyUp: false, ...readOnlyNonRecursive };
}

function subpathOf(subpath: string | undefined, wrong: (reason: string) => EngineError): { subpath?: string } {
  if (subpath === undefined || subpath === "") return {};
  if (subpath.startsWith("/") || posix.normalize(subpath).startsWith("..")) throw wrong(`subpath must be a relative path within the volume`);
  return { subpath };
}

function volumeOf(spec: MountSpec, source: string, wrong: (reason: string) => EngineError): Pick<MountRequest, "source" | "mode" | "copyUp" | "volume"> {
  const { NoCopy, Labels, DriverConfig, Subpath } = spec.VolumeOptions ?? {};
  if (spec.ReadOnly === true && source === "") throw wrong("must not set ReadOnly mode when using anonymous volumes");
  if (Subpath && source === "") throw wrong("must not set Subpath when using anonymous volumes");
  const volume = {
    ...(DriverConfig?.Name ? { driver: DriverConfig.Name } : {}),
    ...(DriverConfig?.Options ? { options: DriverConfig.Options } : {}),
    ...(Labels ? { labels: Labels } : {}),
    ...subpathOf(Subpath, wrong),
  };
  return { source, mode: "z", copyUp: NoCopy !== true && !Subpath, volume };
}

function tmpfsOptions(spec: MountSpec, wrong: (reason: string) => EngineError): string[] {
  const { SizeBytes = 0, Mode, Options = [] } = spec.TmpfsOptions ?? {};
  if (SizeBytes < 0) throw wrong("TmpfsOptions.SizeBytes must not be negative");
  for (const [option = ""] of Options) if (option !== "exec" && option !== "noexec") throw wrong(`invalid option: ${option}`);
  return [...(SizeBytes > 0 ? [`size=${SizeBytes}`] : []), ...(Mode ? [`mode=${Mode.toString(8)}`] : []), ...Options.map((option) => option.join("="))];
}
