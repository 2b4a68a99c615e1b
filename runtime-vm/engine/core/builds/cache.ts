import { createHash } from "node:crypto";
import type { BuiltLayer } from "../images/building.ts";
import type { State } from "../state/state.ts";

/** What a step of a build gave, to be given again when the same is asked for. */
export interface CacheRecord {
  readonly key: string;
  readonly kind: "layer" | "config" | "mount";
  /** What it was, for people. */
  readonly description: string;
  /** Absent where nothing was written. */
  readonly layer?: BuiltLayer;
  /** RFC 3339: when the step ran. */
  readonly created: string;
  readonly lastUsed: string;
  readonly usageCount: number;
}

interface Row {
  readonly key: string;
  readonly kind: CacheRecord["kind"];
  readonly description: string;
  readonly layer: string | null;
  readonly created: string;
  readonly last_used: string;
  readonly usage_count: number;
}

const ddl = `
CREATE TABLE IF NOT EXISTS build_cache (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  description TEXT NOT NULL,
  layer TEXT,
  created TEXT NOT NULL,
  last_used TEXT NOT NULL,
  usage_count INTEGER NOT NULL
) STRICT;
`;

/**
 * Results of build steps by what went into them. A record is written after its layer is whole; one that a power cut left without its
 * layer is no longer believed when it is asked for.
 */
export class BuildCache {
  readonly #state: State;
  readonly #has: (layer: BuiltLayer) => boolean;

  constructor(state: State, has: (layer: BuiltLayer) => boolean) {
    this.#state = state;
    this.#has = has;
    state.define(ddl);
  }

  /** The record, counted as used. */
  find(key: string, now: Date): CacheRecord | undefined {
    const row = this.#state.prepare<Row>("SELECT * FROM build_cache WHERE key = ?").get(key);
    if (row === undefined) return undefined;
    const record = fromRow(row);
    if (record.layer !== undefined && !this.#has(record.layer)) {
      this.#state.relaxed(() => this.#state.prepare("DELETE FROM build_cache WHERE key = ?").run(key));
      return undefined;
    }
    this.#state.relaxed(() =>
      this.#state.prepare("UPDATE build_cache SET last_used = ?, usage_count = usage_count + 1 WHERE key = ?").run(now.toISOString(), key),
    );
    return record;
  }

  put(record: Pick<CacheRecord, "key" | "kind" | "description" | "layer" | "created">): void {
    const { key, kind, description, layer, created } = record;
    this.#state.relaxed(() =>
      this.#state
        .prepare("INSERT OR REPLACE INTO build_cache (key, kind, description, layer, created, last_used, usage_count) VALUES (?, ?, ?, ?, ?, ?, 1)")
        .run(key, kind, description, layer === undefined ? null : JSON.stringify(layer), created, created),
    );
  }

  /** As it was, unless there is one of its key by now. */
  putBack({ key, kind, description, layer, created, lastUsed, usageCount }: CacheRecord): void {
    this.#state
      .prepare("INSERT OR IGNORE INTO build_cache (key, kind, description, layer, created, last_used, usage_count) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(key, kind, description, layer === undefined ? null : JSON.stringify(layer), created, lastUsed, usageCount);
  }

  list(): CacheRecord[] {
    return this.#state.prepare<Row>("SELECT * FROM build_cache ORDER BY last_used").all().map(fromRow);
  }

  remove(keys: readonly string[]): void {
    this.#state.transaction(() => {
      for (const key of keys) this.#state.prepare("DELETE FROM build_cache WHERE key = ?").run(key);
    });
  }

  /** Everything that must stay though no image has it. */
  *layers(): Generator<BuiltLayer> {
    for (const { layer } of this.list()) if (layer !== undefined) yield layer;
  }
}

const fromRow = (row: Row): CacheRecord => ({
  key: row.key,
  kind: row.kind,
  description: row.description,
  ...(row.layer === null ? {} : { layer: JSON.parse(row.layer) as BuiltLayer }),
  created: row.created,
  lastUsed: row.last_used,
  usageCount: row.usage_count,
});

/** A key for whatever decides a step's result; the order of an object's names counts. */
export const cacheKey = (...parts: readonly unknown[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex");

/** With SOURCE_DATE_EPOCH the same step gives other times. */
export const epochKey = ({ request: { epoch } }: { readonly request: { readonly epoch: number | undefined } }): readonly unknown[] =>
  epoch === undefined ? [] : ["epoch", epoch];
