import { readFileSync } from "node:fs";
import type { State } from "../state/state.ts";

/** Facts about the engine that owns this root directory. */
const define = (state: State): void => state.define("CREATE TABLE IF NOT EXISTS engine (key TEXT PRIMARY KEY, value TEXT NOT NULL)");

/** Whether `what`, which happens once in the life of a root directory, has happened. */
export function hasHappened(state: State, what: string): boolean {
  define(state);
  return state.prepare("SELECT 1 FROM engine WHERE key = ?").get(`done:${what}`) !== undefined;
}

export function nowHappened(state: State, what: string): void {
  define(state);
  state.prepare("INSERT OR IGNORE INTO engine VALUES (?, ?)").run(`done:${what}`, new Date().toISOString());
}

/** Made once for a root directory. */
export function engineId(state: State): string {
  define(state);
  const found = state.prepare<{ value: string }>("SELECT value FROM engine WHERE key = 'id'").get();
  if (found !== undefined) return found.value;
  // The kernel's: loading cryptography would delay the first answer.
  const id = readFileSync("/proc/sys/kernel/random/uuid").toString().trim();
  state.prepare("INSERT INTO engine VALUES ('id', ?)").run(id);
  return id;
}
