import { existsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ContainerSummary } from "#api/containers.ts";
import { delay } from "#base/deadline.ts";
import type { EngineClient } from "#client/client.ts";
import type { FileChange } from "#link/calls.ts";
import { guestPath } from "./files.ts";
import { Happenings, inCalls, type Noted } from "./happenings.ts";
import { TreeWatch } from "./tree-watch.ts";

/** What happens to one path within this time is told once. */
const tickMs = 20;
/**
 * After telling, nothing is told for so many times as long as it took: of a guest that is busy with many files, most of the time is
 * left to that. Not longer than `pauseMsMax`: watchers are to hear of everything within a second.
 */
const pauseFactor = 4;
const pauseMsMax = 400;
/** Looked at before anything of it is told; the rest has its turn after that. */
const roundMax = 16_384;
/** Paths whose state is remembered: a new mode or owner is no change of what is in a file. */
const knownMax = 50_000;
const reconnectMs = 1_000;

/** A file as it was looked at last. */
interface Known {
  readonly number: string;
  readonly content: string;
}

/** To be told, and when it happened, by performance.now(). */
type Seen = Omit<FileChange, "agoMs"> & { readonly atMs: number };

export interface FileEventsOptions {
  readonly engine: Pick<EngineClient, "json" | "stream">;
  readonly platform: NodeJS.Platform;
  /** Tells the guest. */
  readonly changed: (changes: readonly FileChange[]) => Promise<unknown>;
  readonly notice: (text: string) => void;
}

/**
 * What this computer's programs do in folders that running containers have mounted, told to the guest, whose programs then get inotify
 * events: no file sharing carries those. The guest goes through the same acts once more without doing anything (guest/shares/tell.ts).
 */
export class FileEvents implements AsyncDisposable {
  readonly #options: FileEventsOptions;
  readonly #over = new AbortController();
  readonly #trees = new Map<string, TreeWatch>();
  readonly #known = new Map<string, Known>();
  readonly #happenings = new Happenings();
  readonly #running: Promise<unknown>;

  constructor(options: FileEventsOptions) {
    this.#options = options;
    this.#running = Promise.all([this.#follow(), this.#tell()]);
  }

  /** What is mounted changes only when a container starts or ends. */
  async #follow(): Promise<void> {
    const filters = JSON.stringify({ type: ["container"], event: ["start", "die"] });
    while (!this.#over.signal.aborted) {
      const attempt = new AbortController();
      const signal = AbortSignal.any([this.#over.signal, attempt.signal]);
      try {
        // Listened to before the list is asked for: nothing falls between the two.
        const { body } = await this.#options.engine.stream("GET", "/events", { query: { filters }, signal });
        await this.#sync(signal);
        for await (const _ of body) await this.#sync(signal);
      } catch {
        // The engine is away, and its containers may be other ones when it is back.
      }
      attempt.abort();
      await delay(reconnectMs, this.#over.signal).catch(() => {});
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const running = await this.#options.engine.json<ContainerSummary[]>("GET", "/containers/json", { signal });
    const sources = new Set(running.flatMap(({ Mounts }) => Mounts.filter(({ Type }) => Type === "bind").map(({ Source }) => Source)));
    for (const [source, tree] of this.#trees) {
      if (sources.has(source)) continue;
      tree[Symbol.dispose]();
      this.#trees.delete(source);
    }
    for (const source of sources) if (!this.#trees.has(source)) await this.#open(source);
  }

  async #open(source: string): Promise<void> {
    const full = (): void => this.#options.notice(`${source} has too many folders: containers are not told of changes that are made here in all of them`);
    const tree = new TreeWatch(source, { happened: (path, what) => this.#happenings.note(path, what), full });
    this.#trees.set(source, tree);
    await tree.open();
  }

  async #tell(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#happenings.some();
      await delay(tickMs, signal).catch(() => {});
      const seen: Seen[] = [];
      // With what is found meanwhile: a folder that was renamed is told of together with what is in it.
      while (seen.length < roundMax || seen.at(-1)?.what === "gone") {
        const noted = this.#happenings.take();
        if (noted === undefined || signal.aborted) break;
        seen.push(...(await this.#look(noted)));
      }
      const began = performance.now();
      for (const call of inCalls(seen)) {
        if (signal.aborted) break;
        const changes = call.map(({ atMs, ...change }) => ({ ...change, agoMs: Math.round(performance.now() - atMs) }));
        // A guest that cannot be told now has other worries; its programs read the files as they are.
        await this.#options.changed(changes).catch(() => {});
      }
      await delay(Math.min(pauseMsMax, pauseFactor * (performance.now() - began)), signal).catch(() => {});
    }
  }

  /** What is to be told of `path` now. */
  async #look({ path, what, namedMs, lastMs }: Noted): Promise<readonly Seen[]> {
    const place = guestPath(path, this.#options.platform);
    const stat = await lstat(path, { bigint: true }).catch(() => undefined);
    const before = this.#known.get(path);
    if (stat === undefined) {
      this.#known.delete(path);
      const isFolder = [...this.#trees.values()].map((tree) => tree.gone(path)).includes(true);
      // Of a folder that is gone itself the system tells under a name that it never held.
      const isTold = what === "named" && (isFolder || existsSync(dirname(path)));
      if (place === undefined || !isTold) return [];
      return [{ path: place, what: "gone", type: isFolder ? "folder" : "file", atMs: namedMs, ...(before === undefined ? {} : { number: before.number }) }];
    }
    if (stat.isDirectory() && what === "named") for (const tree of this.#trees.values()) await tree.appeared(path);
    const now = { number: String(stat.ino), content: `${stat.size} ${stat.mtimeNs}` };
    this.#remember(path, now);
    if (place === undefined) return [];
    const type = stat.isFile() ? "file" : stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "other";
    const told = { path: place, type, number: now.number } as const;
    const isChanged = type === "file" && (before?.number !== now.number || before.content !== now.content);
    const came: readonly Seen[] = what === "named" ? [{ ...told, what: "came", atMs: namedMs }] : [];
    return [...came, ...(isChanged && (what === "changed" || stat.size > 0n) ? [{ ...told, what: "changed", atMs: lastMs } as const] : [])];
  }

  #remember(path: string, state: Known): void {
    this.#known.delete(path);
    this.#known.set(path, state);
    if (this.#known.size <= knownMax) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#happenings.wake();
    for (const tree of this.#trees.values()) tree[Symbol.dispose]();
    this.#trees.clear();
    await this.#running;
  }
}
