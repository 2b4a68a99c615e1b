/**
 * The engine's durable state: one SQLite database, one writer. What `transaction` wrote survives a power cut once it
 * returns. Each noun owns its tables and hands its schema to the composition root.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;

export interface Statement<Row> {
  get(...params: SqlValue[]): Row | undefined;
  all(...params: SqlValue[]): Row[];
  run(...params: SqlValue[]): { changes: number };
}

export interface State extends Disposable {
  /** Idempotent DDL (`CREATE TABLE IF NOT EXISTS ...`). */
  define(ddl: string): void;
  prepare<Row>(sql: string): Statement<Row>;
  /** All or nothing; nested calls join the outer one. `work` is synchronous. */
  transaction<T>(work: () => T): T;
  /** As `transaction`, without waiting for the disk: survives the engine's death at once, a power cut only with the next transaction or `settled`. */
  relaxed<T>(work: () => T): T;
  /** Resolves when all that was written so far survives a power cut. The disk is waited for off this thread, and once for all who ask meanwhile. */
  settled(): Promise<void>;
}
