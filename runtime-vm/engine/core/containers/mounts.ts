import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { posix } from "node:path";
import { EngineError, isClass } from "#base/errors.ts";
import type { ContainerConfig, HostConfig, MountPoint } from "#api/containers.ts";
import type { Volume } from "#api/volumes.ts";
import type { SpecMount } from "../specs/builder.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import { copyUp } from "./copy-up.ts";
import { ensureHostPath, resolveHostPath, resolveInRoot } from "./host-path.ts";
import { giveToRoot } from "./mapped-users.ts";
import { type MountRequest, parseMode, parseMounts } from "./mount-specs.ts";
import { checkPropagation } from "./propagation.ts";
import type { MountRecord } from "./record.ts";
import type { Undo } from "./undo.ts";

type Backends = Pick<ContainerBackends, "kernel" | "config" | "userns" | "volumes" | "events" | "snapshots" | "images">;

/**
 * Turns what was asked for into records: volumes are made and counted as used by `containerId`, and new ones filled from the image.
 * What it made is undone by `undo` when creating fails later.
 */
export async function createMounts(
  backends: Backends,
  catalog: Catalog,
  what: { containerId: string; config: ContainerConfig; hostConfig: HostConfig; mapped: boolean; undo: Undo },
): Promise<MountRecord[]> {
  const inherited = mountsFrom(catalog, what.hostConfig.VolumesFrom ?? []);
  const requests = parseMounts(what.config, what.hostConfig, inherited);
  for (const request of requests) checkBindSource(backends, request);
  const records: MountRecord[] = [];
  for (const request of requests) records.push(await createMount(backends, request, what));
  const asked = new Set(records.map(({ destination }) => destination));
  for (const record of inherited) {
    if (asked.has(record.destination)) continue;
    if (record.volume !== undefined) await acquireVolume(backends, record.volume.name, what);
    records.push(record);
  }
  await fillVolumes(backends, what.containerId, requests, records);
  return records;
}

/** A `--mount` source must be there when the container is created; `-v` makes it at start. */
function checkBindSource(backends: Backends, request: MountRequest): void {
  if (request.type !== "bind" || request.createSource || resolveHostPath(backends, request.source) !== undefined) return;
  throw new EngineError("invalidArgument", `invalid mount config for type "bind": bind source path does not exist: ${request.source}`);
}

async function createMount(backends: Backends, request: MountRequest, what: { containerId: string; mapped: boolean; undo: Undo }): Promise<MountRecord> {
  const { type, destination, readOnly, mode, propagation, nonRecursive, createSource } = request;
  const base = {
    ...{ type, source: request.source, destination, readOnly, mode, propagation, nonRecursive, createSource },
    ...(request.readOnlyNonRecursive === true ? { readOnlyNonRecursive: true } : {}),
  };
  if (type === "image") return { ...base, image: await createImageRoot(backends, request, what) };
  if (type !== "volume") return request.options === undefined ? base : { ...base, options: request.options };
  const anonymous = request.source === "";
  const { made, source } = await createVolume(backends, request, what);
  if (anonymous) what.undo.defer(`remove volume ${made.Name}`, () => backends.volumes.remove(made.Name, { force: true, forGood: true }));
  const subpath = request.volume?.subpath;
  return { ...base, source, volume: { name: made.Name, driver: made.Driver, anonymous, ...(subpath === undefined ? {} : { subpath }) } };
}

/** Makes the volume where it is missing, and counts as its user from then on. Pruned in between, it is made again. */
async function createVolume(backends: Backends, request: MountRequest, what: { containerId: string; undo: Undo }): Promise<{ made: Volume; source: string }> {
  const anonymous = request.source === "";
  const wanted = {
    ...(anonymous ? {} : { Name: request.source }),
    ...(request.volume?.driver === undefined ? {} : { Driver: request.volume.driver }),
    ...(request.volume?.options === undefined ? {} : { DriverOpts: request.volume.options }),
    Labels: { ...request.volume?.labels, ...(anonymous ? { "com.docker.volume.anonymous": "" } : {}) },
  };
  const made = await backends.volumes.create(wanted, { user: what.containerId });
  try {
    return { made, source: await acquireVolume(backends, made.Name, what) };
  } catch (error) {
    if (!isClass(error, "notFound")) throw error;
    return await createVolume(backends, request, what);
  }
}

/** A root of the mount's own over the image's layers; nobody ever writes into it. */
async function createImageRoot(
  backends: Backends,
  request: MountRequest,
  what: { containerId: string; mapped: boolean; undo: Undo },
): Promise<NonNullable<MountRecord["image"]>> {
  const { layers } = await backends.images.resolve(request.source);
  const snapshot = imageSnapshot(what.containerId, request.destination);
  await backends.snapshots.prepare(snapshot, layers, { mapped: what.mapped });
  what.undo.defer(`remove the root of image ${request.source}`, () => backends.snapshots.remove(snapshot));
  return { snapshot, ...(request.subpath === undefined ? {} : { subpath: request.subpath }) };
}

/** Begins with the container's id: it goes with it. */
const imageSnapshot = (containerId: string, destination: string): string =>
  `${containerId}-${createHash("sha256").update(destination).digest("hex").slice(0, 12)}`;

async function acquireVolume(backends: Backends, volume: string, what: { containerId: string; undo: Undo }): Promise<string> {
  const directory = await backends.volumes.acquire(volume, what.containerId);
  what.undo.defer(`release volume ${volume}`, () => backends.volumes.release(volume, what.containerId));
  return directory;
}

/** Records of the containers named in `VolumesFrom` (`NAME[:ro|rw]`). */
function mountsFrom(catalog: Catalog, names: readonly string[]): MountRecord[] {
  return names.flatMap((entry) => {
    if (entry === "") throw new EngineError("invalidArgument", "volumes-from specification cannot be an empty string");
    const [, name = "", mode = ""] = /^([^:]*):?(.*)$/s.exec(entry) ?? [];
    const parsed = parseMode(mode, "volume");
    if (parsed === undefined) throw new EngineError("invalidArgument", `invalid mode: ${mode}`);
    const container = catalog.find(name);
    if (container === undefined) throw new EngineError("invalidArgument", `No such container: ${name}`);
    return container.spec.mounts
      .filter(({ type }) => type === "bind" || type === "volume")
      .map((record) => (parsed.readOnly ? { ...record, readOnly: true } : record));
  });
}

async function fillVolumes(backends: Backends, containerId: string, requests: readonly MountRequest[], records: readonly MountRecord[]): Promise<void> {
  const filling = requests.filter(({ type, copyUp: wanted }) => type === "volume" && wanted).map(({ destination }) => destination);
  if (filling.length === 0) return;
  const rootfs = await backends.snapshots.mount(containerId);
  try {
    for (const { destination, volume } of records) {
      if (volume === undefined || !filling.includes(destination)) continue;
      await backends.volumes.fill(volume.name, (directory) => copyUp(backends.kernel, { rootfs, destination, volume: directory }));
    }
  } finally {
    await backends.snapshots.unmount(containerId);
  }
}

/** What the runtime mounts, parents before what lies below them. Volumes with a device of their own are mounted by asking for them. */
export async function specMounts(backends: Backends, container: Container): Promise<SpecMount[]> {
  for (const { volume } of container.spec.mounts) if (volume !== undefined) await backends.volumes.acquire(volume.name, container.id);
  const depth = ({ destination }: MountRecord): number => destination.split("/").length;
  const mounts: SpecMount[] = [];
  for (const record of container.spec.mounts.toSorted((a, b) => depth(a) - depth(b))) mounts.push(await specMount(backends, record));
  return mounts;
}

/** What `specMounts` mounted besides: the roots of images. */
export async function releaseMounts({ snapshots }: Pick<Backends, "snapshots">, { spec }: Container): Promise<void> {
  for (const { image } of spec.mounts) if (image !== undefined) await snapshots.unmount(image.snapshot);
}

async function specMount(backends: Backends, record: MountRecord): Promise<SpecMount> {
  const base = { destination: record.destination, readOnly: record.readOnly };
  if (record.type === "tmpfs") return { ...base, type: "tmpfs", options: record.options ?? [] };
  const source = await sourceOf(backends, record);
  checkPropagation({ path: record.source, found: source, propagation: record.propagation, hostPrefix: backends.config.hostPrefix });
  return {
    ...base,
    type: "bind",
    source,
    ...(record.propagation === "" ? {} : { propagation: record.propagation }),
    ...(record.nonRecursive === true ? { nonRecursive: true } : {}),
    ...(record.readOnlyNonRecursive === true ? { readOnlyNonRecursive: true } : {}),
  };
}

function bindSource(backends: Backends, record: MountRecord): string {
  if (record.createSource === true) return ensureHostPath(backends, record.source, (made) => giveToRoot(backends.userns?.map, made));
  const found = resolveHostPath(backends, record.source);
  if (found !== undefined) return found;
  throw new EngineError("invalidArgument", `invalid mount config for type "bind": bind source path does not exist: ${record.source}`);
}

async function sourceOf(backends: Backends, record: MountRecord): Promise<string> {
  if (record.image !== undefined) return below(backends, await backends.snapshots.mount(record.image.snapshot), record.image.subpath);
  return record.type === "volume" ? below(backends, record.source, record.volume?.subpath) : bindSource(backends, record);
}

/** A part of a volume or an image, found inside of it whatever links it holds. */
function below({ kernel }: Backends, directory: string, subpath: string | undefined): string {
  if (subpath === undefined) return directory;
  const found = resolveInRoot(kernel, directory, posix.join("/", subpath));
  if (found !== undefined && statSync(found, { throwIfNoEntry: false }) !== undefined) return found;
  const path = posix.join(directory, subpath);
  throw new EngineError("notFound", `cannot access path ${path}: lstat ${path}: no such file or directory`);
}

/** As inspect and list show it. */
export function mountPoint(record: MountRecord): MountPoint {
  return {
    Type: record.type,
    ...(record.volume === undefined ? {} : { Name: record.volume.name }),
    ...(record.image === undefined ? {} : { Name: record.source }),
    Source: record.image?.snapshot ?? record.source,
    Destination: record.destination,
    ...(record.volume === undefined ? {} : { Driver: record.volume.driver }),
    Mode: record.mode,
    RW: !record.readOnly,
    Propagation: record.propagation,
  };
}
