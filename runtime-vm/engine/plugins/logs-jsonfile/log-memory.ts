import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "#base/errors.ts";
import type { SteadyClock } from "#core/clock/steady.ts";
import type { LogMemory, LogMemoryLimits, LogOwner, LogSearch } from "#core/logs/memory.ts";
import { LogSearches } from "./log-search.ts";
import type { SearchMark, SearchSource } from "./log-search.worker.ts";
import { logFileNames } from "./search-files.ts";

/** What is kept of a removed container, beside its log files. */
interface Kept {
  readonly owner: LogOwner;
  readonly removedMs: number;
  readonly bytes: number;
}

export interface LogMemoryOptions {
  /** Of containers: `ID/ID-json.log` and its like. */
  readonly containers: string;
  /** `ID/` with the same names; on the same file system. */
  readonly memory: string;
  readonly limits: LogMemoryLimits;
  /** Nothing goes for its age before the clock is settled. */
  readonly clock: Pick<SteadyClock, "isSettled">;
  readonly report: (line: string) => void;
}

const ownerFile = "container.json";
/** Made under this name first, so that what a crash leaves half done is seen. */
const halfSuffix = ".tmp";
const dayMs = 24 * 60 * 60 * 1_000;

/**
 * Removed containers' logs as further names of the same files: keeping costs no copy and no write of the log, whatever else becomes of the
 * container's directory. What is too old or too much goes when something is added or looked for.
 */
export class FileLogMemory implements LogMemory {
  readonly #options: LogMemoryOptions;
  readonly #searches = new LogSearches();
  /** Oldest removal first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #reclaiming = Promise.resolve();

  constructor(options: LogMemoryOptions) {
    this.#options = options;
    mkdirSync(options.memory, { recursive: true, mode: 0o700 });
    for (const [id, kept] of this.#read().toSorted(([, a], [, b]) => a.removedMs - b.removedMs)) this.#add(id, kept);
    this.#expire();
  }

  keep(owner: LogOwner): void {
    const { days, maxBytes } = this.#options.limits;
    if (days === 0 || maxBytes === 0) return;
    try {
      this.#keep(owner);
      this.#expire();
    } catch (error) {
      this.#options.report(`the log of container ${owner.id} is not kept: ${messageOf(error)}`);
    }
  }

  search(search: LogSearch, living: () => readonly LogOwner[]): AsyncIterable<Buffer> {
    this.#expire();
    const began = Date.now();
    const sources = (round: number): SearchSource[] => {
      const here = living();
      const ids = new Set(here.map(({ id }) => id));
      const gone = [...this.#kept.values()].filter(({ owner, removedMs }) => !ids.has(owner.id) && (round === 0 || removedMs >= began));
      return [...here.map((owner) => this.#source(owner, false)), ...gone.map(({ owner }) => this.#source(owner, true))].filter((source) =>
        isMeant(search, source),
      );
    };
    if (search.containers.length > 0 && sources(0).length === 0)
      throw new EngineError("notFound", `no container ${search.containers.join(", ")} is there, and none is remembered`);
    return this.#searches.run(search, sources);
  }

  #keep(owner: LogOwner): void {
    const { containers, memory } = this.#options;
    const from = join(containers, owner.id);
    const names = logFileNames(from, owner.id);
    const bytes = names.reduce((sum, name) => sum + statSync(join(from, name)).size, 0);
    if (bytes === 0) return;
    this.#forget(owner.id);
    const half = join(memory, owner.id + halfSuffix);
    mkdirSync(half, { mode: 0o700 });
    const removedMs = Date.now();
    writeFileSync(join(half, ownerFile), JSON.stringify({ owner, removedMs }), { mode: 0o600 });
    for (const name of names) linkSync(join(from, name), join(half, name));
    renameSync(half, join(memory, owner.id));
    this.#add(owner.id, { owner, removedMs, bytes });
  }

  #read(): [string, Kept][] {
    const { memory } = this.#options;
    return readdirSync(memory).flatMap((id): [string, Kept][] => {
      try {
        const directory = join(memory, id);
        if (id.endsWith(halfSuffix)) throw new Error("it was being kept when the engine ended");
        const { owner, removedMs } = JSON.parse(readFileSync(join(directory, ownerFile), "utf8")) as Omit<Kept, "bytes">;
        const bytes = logFileNames(directory, id).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
        return [[id, { owner, removedMs, bytes }]];
      } catch (error) {
        this.#options.report(`log memory: ${id} is dropped: ${messageOf(error)}`);
        this.#reclaim(id);
        return [];
      }
    });
  }

  #add(id: string, kept: Kept): void {
    this.#kept.set(id, kept);
    this.#bytes += kept.bytes;
  }

  #expire(): void {
    const { clock, limits } = this.#options;
    const { days, maxBytes } = limits;
    const before = days === 0 || clock.isSettled() ? Date.now() - days * dayMs : -Infinity;
    for (const [id, { removedMs }] of this.#kept) {
      if (this.#bytes <= maxBytes && removedMs >= before) return;
      this.#forget(id);
    }
  }

  /** Renamed first: the name may be needed again at once. */
  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined) this.#bytes -= kept.bytes;
    this.#kept.delete(id);
    if (!existsSync(join(this.#options.memory, id))) return;
    const old = `${id}-${process.hrtime.bigint()}${halfSuffix}`;
    renameSync(join(this.#options.memory, id), join(this.#options.memory, old));
    this.#reclaim(old);
  }

  #reclaim(name: string): void {
    this.#reclaiming = this.#reclaiming.then(async () => {
      try {
        await rm(join(this.#options.memory, name), { recursive: true, force: true });
      } catch (error) {
        this.#options.report(`log memory: ${name} stays until the next start: ${messageOf(error)}`);
      }
    });
  }

  #source(owner: LogOwner, removed: boolean): SearchSource {
    const { id, name, createdAt } = owner;
    return { id, name, removed, createdAt, directory: join(removed ? this.#options.memory : this.#options.containers, id), marks: marksOf(owner) };
  }
}

function isMeant({ containers }: LogSearch, { id, name }: SearchSource): boolean {
  return containers.length === 0 || containers.some((wanted) => wanted === name || (wanted.length > 0 && id.startsWith(wanted)));
}

const marksOf = ({ runs }: LogOwner): SearchMark[] =>
  runs.flatMap(({ startedAt, finishedAt, exitCode = 0 }): SearchMark[] => [
    ...(startedAt === "" ? [] : [{ time: nineDigits(startedAt) }]),
    ...(finishedAt === undefined ? [] : [{ time: nineDigits(finishedAt), exitCode }]),
  ]);

/** Docker leaves zeros at the end out; with all of them times compare as they are written. */
function nineDigits(time: string): string {
  const [, seconds = time, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${seconds}.${fraction.padEnd(9, "0")}Z`;
}
