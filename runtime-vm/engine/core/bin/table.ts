import type { TrashKind } from "#api/trash.ts";
import type { State } from "../state/state.ts";
import type { KeptItem } from "./keeper.ts";

interface Row {
  readonly id: string;
  readonly kind: TrashKind;
  readonly name: string;
  readonly removed: number;
  readonly bytes: number | null;
  readonly project: string | null;
}

/** The trash in the engine's database. Every method writes at once; whoever calls says in which transaction. */
export class TrashTable {
  readonly #statements;

  constructor(state: State) {
    state.define(
      "CREATE TABLE IF NOT EXISTS trash (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, removed INTEGER NOT NULL, bytes INTEGER, kept TEXT NOT NULL) STRICT",
    );
    state.define("CREATE TABLE IF NOT EXISTS trash_projects (id TEXT PRIMARY KEY, project TEXT NOT NULL) STRICT");
    this.#statements = {
      all: state.prepare<Row>(
        "SELECT trash.id, kind, name, removed, bytes, project FROM trash LEFT JOIN trash_projects ON trash_projects.id = trash.id ORDER BY removed, trash.rowid",
      ),
      kept: state.prepare<{ kept: string }>("SELECT kept FROM trash WHERE id = ?"),
      insert: state.prepare("INSERT INTO trash (id, kind, name, removed, kept) VALUES (?, ?, ?, ?, ?)"),
      insertProject: state.prepare("INSERT INTO trash_projects (id, project) VALUES (?, ?)"),
      dated: state.prepare("UPDATE trash SET removed = ? WHERE id = ?"),
      measured: state.prepare("UPDATE trash SET bytes = ? WHERE id = ?"),
      remove: state.prepare("DELETE FROM trash WHERE id = ?"),
      removeProject: state.prepare("DELETE FROM trash_projects WHERE id = ?"),
    };
  }

  /** Oldest first. */
  all(): KeptItem[] {
    return this.#statements.all.all().map(({ removed, bytes, project, ...row }) => ({
      ...row,
      removedMs: removed,
      bytes: bytes ?? undefined,
      ...(project === null ? {} : { project }),
    }));
  }

  kept(id: string): unknown {
    return JSON.parse(this.#statements.kept.get(id)?.kept ?? "null");
  }

  insert({ id, kind, name, removedMs, project }: KeptItem, kept: unknown): void {
    this.#statements.insert.run(id, kind, name, removedMs, JSON.stringify(kept));
    if (project !== undefined) this.#statements.insertProject.run(id, project);
  }

  setBytes(id: string, bytes: number): void {
    this.#statements.measured.run(bytes, id);
  }

  setRemoved(id: string, removedMs: number): void {
    this.#statements.dated.run(Math.round(removedMs), id);
  }

  remove(id: string): void {
    this.#statements.remove.run(id);
    this.#statements.removeProject.run(id);
  }
}
