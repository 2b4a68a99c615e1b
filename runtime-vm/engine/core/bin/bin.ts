import type { TrashEmptied, TrashKind, TrashList, TrashProjectRestored, TrashRestored } from "#api/trash.ts";
import { type DiskRoom, isTight } from "#base/disk-room.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { SteadyClock } from "../clock/steady.ts";
import type { Journal } from "../journal/journal.ts";
import type { State } from "../state/state.ts";
import { nextDue } from "./due.ts";
import { findKept, notThere } from "./find.ts";
import type { KeptItem, Keeper, TrashLimits } from "./keeper.ts";
import { RemovalTimes } from "./removal-times.ts";
import { TrashTable } from "./table.ts";

/** How often the limits and the disk are looked at while there is something in the trash. */
const everyMs = 1_000;

/** Containers bring along what they stand on, by the names they know it by. */
const projectOrder: readonly TrashKind[] = ["container", "volume", "network"];

export interface BinParts {
  readonly state: State;
  /** Asked each time, since a reload may change them. */
  readonly limits: () => TrashLimits;
  readonly room: () => Promise<DiskRoom>;
  /** Nothing goes for its age before the clock is settled. */
  readonly clock: Pick<SteadyClock, "isSettled">;
  /** Takes away what only things that are gone now stood on. */
  readonly sweep: () => Promise<unknown>;
  /** Resolves when the data of what was let go is off the disk. */
  readonly reclaimed: () => Promise<void>;
  readonly journal: Pick<Journal, "info" | "warn">;
}

/**
 * The trash that people know: what was removed stays whole for some days and can be brought back. A removal moves the record into it, in
 * the transaction that takes it out of its own table; data stays where it is, held by the record. What is too old, too much, or needed by
 * a disk that is about to be full goes by itself, oldest first.
 */
export class Bin implements Disposable {
  readonly #parts: BinParts;
  readonly #table: TrashTable;
  readonly #keepers = new Map<TrashKind, Keeper<unknown>>();
  /** Oldest first. */
  readonly #items = new Map<string, KeptItem>();
  readonly #times = new RemovalTimes();
  readonly #lock = new KeyedLock();
  #timer: NodeJS.Timeout | undefined;
  #tidying: Promise<void> | undefined;

  constructor(parts: BinParts) {
    this.#parts = parts;
    this.#table = new TrashTable(parts.state);
    for (const item of this.#table.all()) this.#items.set(item.id, item);
  }

  /** Before anything of that kind is kept or brought back. */
  register<Kept>(kind: TrashKind, keeper: Keeper<Kept>): void {
    this.#keepers.set(kind, keeper as Keeper<unknown>);
  }

  /** Begins to look after the limits; before that nothing goes by itself. */
  watch(): void {
    this.#timer ??= setInterval(() => void this.tidy(), everyMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  get isOn(): boolean {
    const { days, bytes } = this.#parts.limits();
    return days > 0 && bytes > 0;
  }

  /** Takes a thing in, in one transaction with `remove`, which takes it out of its noun's own table. Durable when it resolves. */
  async keep(what: Omit<KeptItem, "removedMs" | "bytes">, kept: unknown, remove: () => void): Promise<void> {
    const item: KeptItem = { ...what, removedMs: Date.now(), bytes: undefined };
    this.#parts.state.relaxed(() => {
      remove();
      this.#table.insert(item, kept);
    });
    this.#items.set(item.id, item);
    this.#times.note(item.id);
    await this.#parts.state.settled();
  }

  /** What of a kind is in it, oldest first. */
  itemsOf(kind: TrashKind): KeptItem[] {
    return [...this.#items.values()].filter((item) => item.kind === kind);
  }

  /** The same, with what their noun keeps of each. */
  all<Kept>(kind: TrashKind): { readonly item: KeptItem; readonly kept: Kept }[] {
    return this.itemsOf(kind).map((item) => ({ item, kept: this.#table.kept(item.id) as Kept }));
  }

  /** The last one of that name that was removed. */
  newest(kind: TrashKind, name: string): KeptItem | undefined {
    return this.itemsOf(kind).findLast((item) => item.name === name);
  }

  async list(): Promise<TrashList> {
    await this.#measure();
    const items = [...this.#items.values()].toReversed();
    const { days, bytes } = this.#parts.limits();
    return {
      Items: items.map((item) => ({
        Kind: item.kind,
        Id: item.id,
        Name: item.name,
        RemovedAt: new Date(item.removedMs).toISOString(),
        Bytes: item.bytes ?? 0,
        ...(item.project === undefined ? {} : { Project: item.project }),
      })),
      Bytes: sumOf(items),
      Limits: { Days: days, Bytes: bytes },
    };
  }

  /** By id, the beginning of one, or a name: the last of those removed under it. */
  async restore(reference: string): Promise<TrashRestored> {
    const { id, kind } = findKept(this.#items, reference);
    using _held = await this.#lock.acquire(id);
    const item = findKept(this.#items, id);
    const restored = await this.#keeper(kind).restore(item, this.#table.kept(id), async (insert) => {
      this.#parts.state.relaxed(() => {
        this.#table.remove(id);
        insert();
      });
      this.#gone(id);
      await this.#parts.state.settled();
    });
    return { Kind: kind, Id: id, ...restored };
  }

  /**
   * All of a Compose project that was removed last under its name: containers, with what they stand on, then the project's other volumes
   * and networks. What cannot come back keeps nothing else from it.
   */
  async restoreProject(project: string): Promise<TrashProjectRestored> {
    const all = [...this.#items.values()].filter((item) => item.project === project);
    if (all.length === 0) throw new EngineError("notFound", `Nothing of a project ${project} is in the trash`);
    const restored = new Map<string, TrashProjectRestored["Items"][number]>();
    const warnings: string[] = [];
    for (const kind of projectOrder) {
      const latest = new Map(all.filter((item) => item.kind === kind).map((item) => [item.name, item]));
      for (const { id, name } of latest.values()) {
        if (!this.#items.has(id)) continue;
        try {
          const { Kind, Id, Name, Warnings, Also } = await this.restore(id);
          for (const one of [...Also, { Kind, Id, Name }]) restored.set(one.Id, one);
          warnings.push(...Warnings);
        } catch (error) {
          warnings.push(`${kind} ${name}: ${messageOf(error)}`);
        }
      }
    }
    return { Project: project, Items: [...restored.values()], Warnings: warnings };
  }

  /** Gone for good. */
  async discard(reference: string): Promise<void> {
    const { id } = findKept(this.#items, reference);
    if (!(await this.#drop(id))) throw notThere(reference);
    await this.#parts.sweep();
  }

  async empty(): Promise<TrashEmptied> {
    await this.#measure();
    const gone: KeptItem[] = [];
    for (const item of [...this.#items.values()]) if (await this.#drop(item.id)) gone.push(item);
    await this.#parts.sweep();
    return { Items: gone.length, Bytes: sumOf(gone) };
  }

  /** What could not be brought back as it was. */
  faults(): { readonly object: string; readonly problem: string }[] {
    return [...this.#items.values()].flatMap((item) => {
      const problem = this.#keeper(item.kind).fault(item, this.#table.kept(item.id));
      return problem === undefined ? [] : [{ object: `trash: ${item.kind} ${item.name} (${item.id.slice(0, 12)})`, problem }];
    });
  }

  get size(): number {
    return this.#items.size;
  }

  /** Lets go what is due now. One at a time, however often asked; never rejects. */
  tidy(): Promise<void> {
    this.#tidying ??= this.#tidy()
      .catch((error: unknown) => this.#parts.journal.warn("the trash could not be looked after", error))
      .finally(() => (this.#tidying = undefined));
    return this.#tidying;
  }

  async #tidy(): Promise<void> {
    if (this.#items.size === 0) return;
    for (const item of this.#times.corrected(this.#items)) {
      this.#parts.state.relaxed(() => this.#table.setRemoved(item.id, item.removedMs));
      this.#items.set(item.id, item);
    }
    await this.#measure();
    const before = this.#items.size;
    for (;;) {
      const due = nextDue(this.#items.values(), this.#parts.limits(), this.#parts.clock.isSettled() ? Date.now() : undefined);
      if (due === undefined) break;
      await this.#letGo(due.item, due.why);
    }
    if (this.#items.size < before) await this.#parts.sweep();
    await this.#relieve();
  }

  /** Others' writes come before what was removed already. */
  async #relieve(): Promise<void> {
    for (;;) {
      const room = await this.#parts.room();
      if (!isTight(room)) return;
      const item = [...this.#items.values()].find(({ bytes = 0 }) => bytes > 0);
      if (item === undefined) return;
      await this.#letGo(item, `the disk has only ${Math.floor(room.freeBytes / 2 ** 20)} MiB left`);
      await this.#parts.sweep();
      await this.#parts.reclaimed();
    }
  }

  async #letGo(item: KeptItem, why: string): Promise<void> {
    if (await this.#drop(item.id)) this.#parts.journal.info(`trash: ${item.kind} ${item.name} (${item.id.slice(0, 12)}) is gone for good: ${why}`);
  }

  /** False: it is not there any more. */
  async #drop(id: string): Promise<boolean> {
    using _held = await this.#lock.acquire(id);
    const item = this.#items.get(id);
    if (item === undefined) return false;
    const kept = this.#table.kept(id);
    this.#parts.state.transaction(() => this.#table.remove(id));
    this.#gone(id);
    await this.#keeper(item.kind).discard(item, kept);
    return true;
  }

  #gone(id: string): void {
    this.#items.delete(id);
    this.#times.forget(id);
  }

  async #measure(): Promise<void> {
    for (const item of [...this.#items.values()]) {
      if (item.bytes !== undefined) continue;
      const bytes = await this.#keeper(item.kind)
        .measure(item, this.#table.kept(item.id))
        .catch(() => 0);
      // Brought back or let go meanwhile.
      if (this.#items.get(item.id) !== item) continue;
      this.#parts.state.relaxed(() => this.#table.setBytes(item.id, bytes));
      this.#items.set(item.id, { ...item, bytes });
    }
  }

  #keeper(kind: TrashKind): Keeper<unknown> {
    const keeper = this.#keepers.get(kind);
    if (keeper === undefined) throw new EngineError("internal", `the trash has a ${kind}, and nobody knows what to do with it`);
    return keeper;
  }
}

const sumOf = (items: readonly KeptItem[]): number => items.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
