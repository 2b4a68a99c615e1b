import { lstat } from "node:fs/promises";
import type { ContainerSummary } from "#api/containers.ts";
import { delay } from "#base/deadline.ts";
import type { EngineClient } from "#client/client.ts";
import type { FileChange } from "#link/calls.ts";
import { guestPath } from "./files.ts";
import { TreeWatch } from "./tree-watch.ts";

/** How long a file has been left alone before it is told of: its time is set again, which must not undo a later write's. */
const quietMs = 100;
const tickMs = 50;
/** Told in one call. */
const batchMax = 256;
/** Paths whose state is remembered, so that the echo of what was told is not taken for a change. */
const knownMax = 50_000;
const reconnectMs = 1_000;

export interface FileEventsOptions {
  readonly engine: Pick<EngineClient, "json" | "stream">;
  readonly platform: NodeJS.Platform;
  /** Tells the guest. */
  readonly changed: (changes: readonly FileChange[]) => Promise<unknown>;
  readonly notice: (text: string) => void;
}

/**
 * Changes that this computer's programs make in folders that running containers have mounted, told to the guest, whose programs then get
 * inotify events: no file sharing carries those. The guest sets each changed file's and folder's own modification time once more
 * (IN_MODIFY), the one act that tells its watchers and changes nothing. A file that came, went or was renamed is seen as a change of its
 * folder, a new one as a change of itself as well. A guest has no way to be told IN_CREATE or IN_DELETE without doing that again.
 */
export class FileEvents implements AsyncDisposable {
  readonly #options: FileEventsOptions;
  readonly #over = new AbortController();
  readonly #trees = new Map<string, TreeWatch>();
  readonly #known = new Map<string, string>();
  readonly #pending = new Set<string>();
  #woken = Promise.withResolvers<void>();
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
    const tree = new TreeWatch(source, { changed: (path) => this.#note(path), full });
    this.#trees.set(source, tree);
    await tree.open();
  }

  #note(path: string): void {
    this.#pending.add(path);
    this.#woken.resolve();
  }

  async #tell(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      if (this.#pending.size === 0) await this.#woken.promise;
      this.#woken = Promise.withResolvers();
      await delay(tickMs, signal).catch(() => {});
      const changes: FileChange[] = [];
      for (const path of this.#pending) {
        if (changes.length >= batchMax || signal.aborted) break;
        const change = await this.#look(path);
        if (change !== undefined) changes.push(change);
      }
      // A guest that cannot be told now has other worries; its programs read the files as they are.
      if (changes.length > 0 && !signal.aborted) await this.#options.changed(changes).catch(() => {});
    }
  }

  /** What is to be told of `path` now; what is still being written stays pending. */
  async #look(path: string): Promise<FileChange | undefined> {
    const stat = await lstat(path, { bigint: true }).catch(() => undefined);
    const ageMs = stat === undefined ? quietMs : Date.now() - Number(stat.mtimeMs);
    if (ageMs >= 0 && ageMs < quietMs) return undefined;
    this.#pending.delete(path);
    if (stat === undefined) {
      this.#known.delete(path);
      for (const tree of this.#trees.values()) tree.gone(path);
      return undefined;
    }
    if (stat.isDirectory()) for (const tree of this.#trees.values()) await tree.appeared(path);
    const state = `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
    if (this.#known.get(path) === state) return undefined;
    this.#remember(path, state);
    const place = guestPath(path, this.#options.platform);
    return place === undefined || !(stat.isFile() || stat.isDirectory()) ? undefined : { path: place, mtimeNs: String(stat.mtimeNs) };
  }

  #remember(path: string, state: string): void {
    this.#known.delete(path);
    this.#known.set(path, state);
    if (this.#known.size <= knownMax) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#woken.resolve();
    for (const tree of this.#trees.values()) tree[Symbol.dispose]();
    this.#trees.clear();
    await this.#running;
  }
}
