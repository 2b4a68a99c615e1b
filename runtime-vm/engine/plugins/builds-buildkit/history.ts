import { createHash } from "node:crypto";
import type { BuildSource } from "#api/builds.ts";
import type { Descriptor } from "#core/content/content.ts";
import type { State } from "#core/state/state.ts";

/** A build that is over, or under way. Dates are RFC 3339. */
export interface BuildRecord {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly exporters: readonly { readonly type: string; readonly attributes: Readonly<Record<string, string>> }[];
  readonly created: string;
  readonly completed?: string;
  readonly error?: { readonly code: number; readonly message: string };
  /** The error with all its details: a message of google.rpc.Status, in base64, as a blob. */
  readonly failure?: { readonly descriptor: Descriptor; readonly status: string };
  /** Where the Dockerfile failed. */
  readonly source?: BuildSource;
  readonly told: Readonly<Record<string, string>>;
  /** By platform; "" where there is only one. */
  readonly results: Readonly<Record<string, { readonly image?: Descriptor; readonly attestations: readonly Descriptor[] }>>;
  /** Statements that were made, by their digests. */
  readonly documents: Readonly<Record<string, string>>;
  /** All that its display was told, as a blob; absent while it runs. */
  readonly logs?: Descriptor;
  readonly steps: { readonly total: number; readonly completed: number; readonly cached: number; readonly warnings: number };
  readonly pinned: boolean;
}

export type HistoryEvent = { readonly kind: "started" | "complete" | "deleted"; readonly record: BuildRecord };

interface Row {
  readonly ref: string;
  readonly record: string;
}

const ddl = `
CREATE TABLE IF NOT EXISTS build_history (
  ref TEXT PRIMARY KEY,
  created TEXT NOT NULL,
  record TEXT NOT NULL,
  updates BLOB NOT NULL
) STRICT;
`;

const logsType = "application/vnd.buildkit.status.v0";
const recordsMax = 50;
const ageMsMax = 7 * 24 * 3600 * 1000;

/** Builds of all clients, with all that was shown of them: the last fifty of a week, and those that somebody pinned. */
export class BuildHistory {
  readonly #state: State;
  readonly #active = new Map<string, BuildRecord>();
  readonly #listeners = new Set<(event: HistoryEvent) => void>();

  constructor(state: State) {
    this.#state = state;
    state.define(ddl);
  }

  begin(record: BuildRecord): void {
    this.#active.set(record.ref, record);
    this.#tell({ kind: "started", record });
  }

  /** `updates`: what the display was told, to be shown again. */
  end(record: BuildRecord, updates: readonly Buffer[]): void {
    this.#active.delete(record.ref);
    const bytes = framed(updates);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
    const ended: BuildRecord = { ...record, logs: { mediaType: logsType, digest, size: bytes.length } };
    this.#state.relaxed(() =>
      this.#state
        .prepare("INSERT OR REPLACE INTO build_history (ref, created, record, updates) VALUES (?, ?, ?, ?)")
        .run(record.ref, record.created, JSON.stringify(ended), bytes),
    );
    this.#tell({ kind: "complete", record: ended });
    this.#forgetOld();
  }

  /** Oldest first; those under way last. */
  list(): { readonly kind: "started" | "complete"; readonly record: BuildRecord }[] {
    const ended = this.#state.prepare<Row>("SELECT ref, record FROM build_history ORDER BY created").all();
    return [
      ...ended.map(({ record }) => ({ kind: "complete" as const, record: JSON.parse(record) as BuildRecord })),
      ...[...this.#active.values()].map((record) => ({ kind: "started" as const, record })),
    ];
  }

  find(ref: string): BuildRecord | undefined {
    const row = this.#state.prepare<Row>("SELECT ref, record FROM build_history WHERE ref = ?").get(ref);
    return row === undefined ? this.#active.get(ref) : (JSON.parse(row.record) as BuildRecord);
  }

  /** What the display of a build that is over was told; undefined where it is not known. */
  updates(ref: string): Buffer[] | undefined {
    const bytes = this.#logs(ref);
    return bytes === undefined ? undefined : unframed(bytes);
  }

  #logs(ref: string): Buffer | undefined {
    const row = this.#state.prepare<{ readonly updates: Uint8Array }>("SELECT updates FROM build_history WHERE ref = ?").get(ref);
    return row === undefined ? undefined : Buffer.from(row.updates);
  }

  /** The bytes of a statement that a build has made, of what its display was told, or of its error. */
  document(digest: string): Buffer | undefined {
    for (const { record } of this.list()) {
      if (record.logs?.digest === digest) return this.#logs(record.ref);
      if (record.failure?.descriptor.digest === digest) return Buffer.from(record.failure.status, "base64");
      const text = record.documents[digest];
      if (text !== undefined) return Buffer.from(text);
    }
    return undefined;
  }

  remove(ref: string): boolean {
    const record = this.find(ref);
    if (record === undefined || this.#active.has(ref)) return false;
    this.#state.relaxed(() => this.#state.prepare("DELETE FROM build_history WHERE ref = ?").run(ref));
    this.#tell({ kind: "deleted", record });
    return true;
  }

  pin(ref: string, pinned: boolean): boolean {
    const record = this.find(ref);
    if (record === undefined || this.#active.has(ref)) return false;
    this.#state.relaxed(() => this.#state.prepare("UPDATE build_history SET record = ? WHERE ref = ?").run(JSON.stringify({ ...record, pinned }), ref));
    return true;
  }

  /** Told of everything that happens, until it is disposed. */
  listen(listener: (event: HistoryEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #tell(event: HistoryEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #forgetOld(): void {
    const kept = this.list().filter(({ kind, record }) => kind === "complete" && !record.pinned);
    const young = Date.now() - ageMsMax;
    const old = kept.filter(({ record }, i) => i < kept.length - recordsMax || Date.parse(record.completed ?? record.created) < young);
    for (const { record } of old) this.remove(record.ref);
  }
}

/** As BuildKit's own: each message after its length, four bytes, the lowest first. */
function framed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(message.length);
      return [head, message];
    }),
  );
}

function unframed(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}
