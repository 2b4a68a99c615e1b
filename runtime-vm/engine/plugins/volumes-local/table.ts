import type { State } from "#core/state/state.ts";

/** A volume as it is kept. */
export interface VolumeRecord {
  readonly name: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
  /** The id it had in the trash. */
  readonly cameBackFrom?: string;
}

/** Volumes and who uses them, in the engine's database. */
export class VolumeTable {
  readonly #state: State;
  readonly #statements;

  constructor(state: State) {
    this.#state = state;
    state.define("CREATE TABLE IF NOT EXISTS volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT");
    state.define("CREATE TABLE IF NOT EXISTS volume_users (volume TEXT NOT NULL, container TEXT NOT NULL, PRIMARY KEY (volume, container)) STRICT");
    this.#statements = {
      all: state.prepare<{ record: string }>("SELECT record FROM volumes ORDER BY name"),
      users: state.prepare<{ volume: string; container: string }>("SELECT volume, container FROM volume_users ORDER BY rowid"),
      save: state.prepare("INSERT OR REPLACE INTO volumes (name, record) VALUES (?, ?)"),
      remove: state.prepare("DELETE FROM volumes WHERE name = ?"),
      use: state.prepare("INSERT OR IGNORE INTO volume_users (volume, container) VALUES (?, ?)"),
      leave: state.prepare("DELETE FROM volume_users WHERE volume = ? AND container = ?"),
      leaveAll: state.prepare("DELETE FROM volume_users WHERE volume = ?"),
      leaveOthers: state.prepare("DELETE FROM volume_users WHERE container = ? AND volume NOT IN (SELECT value FROM json_each(?))"),
    };
  }

  all(): VolumeRecord[] {
    return this.#statements.all.all().map(({ record }) => JSON.parse(record) as VolumeRecord);
  }

  users(): { volume: string; container: string }[] {
    return this.#statements.users.all();
  }

  save(record: VolumeRecord, user?: string): void {
    this.#state.transaction(() => {
      this.put(record);
      if (user !== undefined) this.#statements.use.run(record.name, user);
    });
  }

  put(record: VolumeRecord): void {
    this.#statements.save.run(record.name, JSON.stringify(record));
  }

  remove(name: string): void {
    this.#state.transaction(() => this.delete(name));
  }

  /** Part of the caller's transaction, as is `put`. */
  delete(name: string): void {
    this.#statements.remove.run(name);
    this.#statements.leaveAll.run(name);
  }

  /** As well: a container uses no volumes but these any more. */
  leaveOthers(container: string, volumes: readonly string[]): void {
    this.#statements.leaveOthers.run(container, JSON.stringify(volumes));
  }

  use(volume: string, container: string): void {
    this.#state.transaction(() => this.#statements.use.run(volume, container));
  }

  leave(volume: string, container: string): void {
    this.#state.transaction(() => this.#statements.leave.run(volume, container));
  }
}
