import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { TrashRestored } from "#api/trash.ts";
import type { Bin } from "../bin/bin.ts";
import type { KeptItem, Keeper, Take } from "../bin/keeper.ts";
import { nameAgain } from "../bin/names.ts";
import type { Sandbox } from "../networks/networks.ts";
import { isPredefined } from "../networks/record.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import { logDriverOf, openLog } from "./logs.ts";
import { writtenBytes } from "./inspect.ts";
import type { ContainerRecord } from "./record.ts";
import { restState } from "./restore.ts";
import type { Supervisor } from "./supervisor.ts";
import { Undo } from "./undo.ts";

/** What the trash keeps of a container. Its root, log and files stay where they are; its volumes are let go, and found again by name. */
export interface KeptContainer extends ContainerRecord {
  /** What its networks were when it ran last. */
  readonly lastEndpoints: Sandbox["endpoints"];
}

export const keptOf = ({ id, name, spec, progress, lastEndpoints }: Container): KeptContainer => ({ id, name, spec, progress, lastEndpoints });

/** Its root, its log, its files. */
export async function discardFiles(backends: ContainerBackends, { id, spec }: Pick<ContainerRecord, "id" | "spec">): Promise<void> {
  await logDriverOf(backends, { spec }).remove(id);
  for (const { image } of spec.mounts) if (image !== undefined) await backends.snapshots.remove(image.snapshot);
  await backends.snapshots.remove(id);
  backends.trash.move(join(backends.paths.containers, id));
}

/** Removed containers: brought back with their id, configuration, data and log. */
export class ContainerKeeper implements Keeper<KeptContainer> {
  readonly #supervisor: Supervisor;

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
  }

  async restore(item: KeptItem, kept: KeptContainer, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { backends, catalog, table, locks } = this.#supervisor;
    // Its removal may not be over yet.
    using _lock = await locks.acquire(kept.id);
    const fault = this.fault(item, kept);
    if (fault !== undefined) throw new EngineError("conflict", `container ${kept.name} cannot be brought back: ${fault}`);
    await using undo = new Undo(backends.journal);
    const { name, warnings } = nameAgain(kept.name, (one) => catalog.isFree(one));
    catalog.reserve(name, kept.id);
    undo.defer(`free the name ${name}`, () => catalog.release(name, kept.id));
    const found = [await takeVolumes(backends, { item, kept, undo }), await findNetworks(backends, kept)];
    warnings.push(...found.flatMap((one) => one.warnings), ...takenAddresses(catalog, kept));
    const { lastEndpoints, ...record } = { ...kept, name };
    await take(() => table.put(record));
    undo.commit();
    const container = new Container(record, restState(record));
    container.lastEndpoints = lastEndpoints;
    container.formerly = addressesOf(lastEndpoints);
    catalog.add(container);
    // Inspect tells where an open one is. Its driver may be out of reach now; then its next start says so.
    await openLog(backends, container).catch(() => undefined);
    // Whoever follows events knows no other word for one more container.
    publishEvent(backends.events, container, "create");
    return { Name: name, Warnings: warnings, Also: found.flatMap(({ also }) => also) };
  }

  async discard(_item: KeptItem, kept: ContainerRecord): Promise<void> {
    using _lock = await this.#supervisor.locks.acquire(kept.id);
    await discardFiles(this.#supervisor.backends, kept);
  }

  async measure(_item: KeptItem, kept: ContainerRecord): Promise<number> {
    const { backends } = this.#supervisor;
    return (await writtenBytes(backends, kept.id)) + (await filesBytes(join(backends.paths.containers, kept.id)));
  }

  fault(_item: KeptItem, { id, spec }: ContainerRecord): string | undefined {
    const { snapshots, paths } = this.#supervisor.backends;
    const roots = [id, ...spec.mounts.flatMap(({ image }) => image?.snapshot ?? [])];
    const missing = roots.find((root) => !isThere(() => snapshots.upperDir(root)));
    if (missing !== undefined) return `its root ${missing} is not there any more`;
    return existsSync(join(paths.containers, id)) ? undefined : "its files are not there any more";
  }
}

const addressesOf = (endpoints: Sandbox["endpoints"]): Record<string, string[]> =>
  Object.fromEntries(Object.entries(endpoints).map(([name, { IPAddress, GlobalIPv6Address }]) => [name, [IPAddress ?? "", GlobalIPv6Address ?? ""]]));

/** A start gives it the addresses of its last run where they are free. */
function takenAddresses(catalog: Catalog, { spec, lastEndpoints }: KeptContainer): string[] {
  return Object.entries(lastEndpoints).flatMap(([network, { IPAddress = "" }]) => {
    const asked = spec.endpoints[network]?.IPAMConfig?.IPv4Address;
    const isTaken = IPAddress !== "" && asked === undefined && catalog.all().some(({ run }) => run?.sandbox.endpoints[network]?.IPAddress === IPAddress);
    return isTaken ? [`its address ${IPAddress} on ${network} is another container's by now: it gets a new one`] : [];
  });
}

/** Its log above all; all in one directory. */
async function filesBytes(directory: string): Promise<number> {
  const names = await readdir(directory);
  const stats = await Promise.all(names.map((name) => stat(join(directory, name))));
  return stats.reduce((sum, { blocks }) => sum + blocks * 512, 0);
}

/** What a container needs and the trash had, or nobody has. */
interface Found {
  readonly warnings: string[];
  readonly also: TrashRestored["Also"][number][];
}

/** Its networks, as they were named when it was made. Without one it fails to start, as it would had it never been removed. */
async function findNetworks({ networks, bin }: ContainerBackends, { spec }: ContainerRecord): Promise<Found> {
  const found: Found = { warnings: [], also: [] };
  for (const name of Object.keys(spec.endpoints)) {
    if (isPredefined(name) || isThere(() => networks.inspect(name))) continue;
    const removed = bin.itemsOf("network").findLast((item) => item.name === name || item.id === name);
    if (removed === undefined) found.warnings.push(`network ${name} is gone for good: it starts once there is one of that name`);
    else await comeAlong(found, bin, removed);
  }
  return found;
}

/** One that cannot come back keeps nobody from coming back without it. */
async function comeAlong({ warnings, also }: Found, bin: Bin, { id }: KeptItem): Promise<void> {
  try {
    const { Kind, Id, Name, Warnings } = await bin.restore(id);
    also.push({ Kind, Id, Name });
    warnings.push(...Warnings);
  } catch (error) {
    if (!isClass(error, "conflict")) throw error;
    warnings.push(messageOf(error));
  }
}

/** It counts as the user of its volumes again. Those in the trash come back, too; one that is gone is made anew, and a warning says that it is empty. */
async function takeVolumes({ volumes, bin }: ContainerBackends, { item, kept, undo }: { item: KeptItem; kept: ContainerRecord; undo: Undo }): Promise<Found> {
  const { warnings, also }: Found = { warnings: [], also: [] };
  for (const { volume } of kept.spec.mounts) {
    if (volume === undefined) continue;
    const { name, anonymous } = volume;
    const removed = bin.newest("volume", name);
    if (isThere(() => volumes.inspect(name))) {
      if (removed !== undefined && removed.removedMs >= item.removedMs) warnings.push(`volume ${name} is another by now: the one it had is in the trash`);
    } else if (removed !== undefined) {
      const { Kind, Id, Name } = await bin.restore(removed.id);
      also.push({ Kind, Id, Name });
    } else {
      await volumes.create({ Name: name, ...(anonymous ? { Labels: { "com.docker.volume.anonymous": "" } } : {}) });
      undo.defer(`remove volume ${name}`, () => volumes.remove(name, { force: true, forGood: true }));
      warnings.push(`volume ${name} is gone for good: it has an empty one in its place`);
    }
    await volumes.acquire(name, kept.id);
    undo.defer(`release volume ${name}`, () => volumes.release(name, kept.id));
  }
  return { warnings, also };
}

function isThere(look: () => unknown): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (isClass(error, "notFound")) return false;
    throw error;
  }
}
