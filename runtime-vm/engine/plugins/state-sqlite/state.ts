import { DatabaseSync } from "node:sqlite";
import { EngineError, messageOf } from "#base/errors.ts";
import type { SqlValue, State, Statement } from "#core/state/state.ts";
import { Flusher } from "./flusher.ts";
import { Headroom } from "./headroom.ts";

/** The room is taken once the engine has answered first. */
const headroomDelayMs = 2_000;

/**
 * Opens (or makes) the database at `path`. WAL with synchronous=FULL: a transaction that returned is on the disk. The lock is
 * taken for as long as it is open, so that two engines on one root directory find each other out at once.
 */
export function openSqliteState(path: string): State {
  const headroom = new Headroom(path);
  const database = open(path);
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=0;");
    database.exec("BEGIN IMMEDIATE; COMMIT");
  } catch (error) {
    database.close();
    throw refusal(path, error);
  }
  return new SqliteState(database, headroom, new Flusher(`${path}-wal`));
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, error: unknown): EngineError {
  const locked = /locked|busy/i.test(messageOf(error));
  const hint = locked
    ? "another engine uses this root directory: stop it, or choose another --root"
    : "restore the file from a backup, or move it away to start empty";
  return new EngineError(locked ? "conflict" : "internal", `cannot open the state ${path}: ${messageOf(error)}; ${hint}`, { cause: error });
}

class SqliteState implements State {
  readonly #database: DatabaseSync;
  readonly #headroom: Headroom;
  readonly #log: Flusher;
  readonly #taking: NodeJS.Timeout;
  readonly #statements = new Map<string, Statement<unknown>>();
  #depth = 0;

  constructor(database: DatabaseSync, headroom: Headroom, log: Flusher) {
    this.#database = database;
    this.#headroom = headroom;
    this.#log = log;
    this.#taking = setTimeout(() => this.#takeHeadroom(), headroomDelayMs).unref();
  }

  #takeHeadroom(): void {
    try {
      this.#headroom.take(this.#database);
    } catch {
      // The disk is full already: the next start tries again.
    }
  }

  define(ddl: string): void {
    // A table that a power cut takes away is empty, and defined again at the next start.
    this.relaxed(() => this.#database.exec(ddl));
  }

  prepare<Row>(sql: string): Statement<Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement as Statement<Row>;
  }

  #prepare(sql: string): Statement<unknown> {
    const prepared = this.#database.prepare(sql);
    return {
      // The driver's rows have no prototype; ours compare and spread as ordinary objects.
      get: (...params: SqlValue[]) => {
        const row = prepared.get(...params);
        return row === undefined ? undefined : { ...row };
      },
      all: (...params: SqlValue[]) => prepared.all(...params).map((row) => ({ ...row })),
      run: (...params: SqlValue[]) => ({ changes: Number(prepared.run(...params).changes) }),
    };
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#depth = 1;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth = 0;
    }
  }

  relaxed<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    // In WAL mode NORMAL writes the log without syncing it; the next commit under FULL syncs what is before it, too.
    this.#database.exec("PRAGMA synchronous=NORMAL");
    try {
      return this.transaction(work);
    } finally {
      this.#database.exec("PRAGMA synchronous=FULL");
    }
  }

  settled(): Promise<void> {
    return this.#log.flush();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#taking);
    this.#statements.clear();
    this.#log[Symbol.dispose]();
    this.#headroom.close(this.#database);
  }
}
