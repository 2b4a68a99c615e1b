import { linkSync, renameSync, rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { codeOf } from "#base/errors.ts";

/** More than the log (WAL) grows to before SQLite begins it anew: 1,000 pages of 4 KiB with their headers. */
const headroomBytes = 4.5 * 1024 * 1024;

/**
 * Room on the disk that the database holds before it needs it, so that a full disk stops neither the records of what ends
 * nor deletions: a log file of full length, which SQLite writes over from its start, and free pages in the database itself.
 */
export class Headroom {
  readonly #log: string;
  readonly #kept: string;

  constructor(path: string) {
    this.#log = `${path}-wal`;
    this.#kept = `${path}-wal.kept`;
    rmSync(this.#kept, { force: true });
  }

  /** Takes what is missing of it; milliseconds at the first start, nothing later. A disk that is full already gives none. */
  take(database: DatabaseSync): void {
    const { freelist_count: free } = database.prepare("PRAGMA freelist_count").get() as { freelist_count: number };
    const { page_size: pageBytes } = database.prepare("PRAGMA page_size").get() as { page_size: number };
    if (sizeOf(this.#log) >= headroomBytes && free * pageBytes >= headroomBytes / 4) return;
    // Two transactions: pages that come and go in one are never written.
    database.exec(`CREATE TABLE IF NOT EXISTS headroom (bytes BLOB); INSERT INTO headroom VALUES (zeroblob(${headroomBytes}))`);
    database.exec("DROP TABLE headroom; PRAGMA wal_checkpoint(PASSIVE)");
  }

  /**
   * Closes the database and keeps the log, which SQLite deletes: what it holds is in the database by then, as after a crash
   * between the two, and the next opening reads it as that.
   */
  close(database: DatabaseSync): void {
    try {
      linkSync(this.#log, this.#kept);
    } catch {
      // No log, or no room for a name: then there is none to keep.
    }
    database.close();
    try {
      renameSync(this.#kept, this.#log);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
