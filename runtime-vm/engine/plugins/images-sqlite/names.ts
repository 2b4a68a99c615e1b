import type { Descriptor, Digest } from "#core/content/content.ts";
import type { State } from "#core/state/state.ts";

/** An image as the store knows it: a name and what it stands for. */
export interface ImageName {
  /** Normalized reference (`docker.io/library/busybox:latest`), or `moby-dangling@sha256:...` for an image without one. */
  readonly name: string;
  readonly target: Descriptor;
  /** RFC 3339. */
  readonly created: string;
  readonly updated: string;
}

interface Row {
  readonly name: string;
  readonly target: string;
  readonly created: string;
  readonly updated: string;
}

const danglingPrefix = "moby-dangling@";

export const danglingName = (digest: Digest): string => danglingPrefix + digest;
export const isDangling = (image: ImageName): boolean => image.name.startsWith(danglingPrefix);

const ddl = `
CREATE TABLE IF NOT EXISTS image_names (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  target TEXT NOT NULL,
  created TEXT NOT NULL,
  updated TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS image_names_by_digest ON image_names (digest);
CREATE TABLE IF NOT EXISTS image_parents (
  digest TEXT PRIMARY KEY,
  parent TEXT NOT NULL
) STRICT;
`;

/** The table of names. Every change is durable when it returns. */
export class ImageNames {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
    state.define(ddl);
  }

  all(): ImageName[] {
    return this.#state.prepare<Row>("SELECT * FROM image_names ORDER BY name").all().map(fromRow);
  }

  get(name: string): ImageName | undefined {
    const row = this.#state.prepare<Row>("SELECT * FROM image_names WHERE name = ?").get(name);
    return row === undefined ? undefined : fromRow(row);
  }

  byDigest(digest: string): ImageName[] {
    return this.#state.prepare<Row>("SELECT * FROM image_names WHERE digest = ? ORDER BY name").all(digest).map(fromRow);
  }

  /** By the first hex digits of an id. */
  byPrefix(hex: string): ImageName[] {
    return this.#state.prepare<Row>("SELECT * FROM image_names WHERE digest GLOB ? ORDER BY name").all(`sha256:${hex}*`).map(fromRow);
  }

  /**
   * Gives `name` to `target`. An image that loses its last name by that stays as a dangling one; one that gains a name is
   * dangling no more. Returns what the name stood for before.
   */
  put(name: string, target: Descriptor, now: Date): Descriptor | undefined {
    return this.#state.transaction(() => {
      const former = this.get(name)?.target;
      this.#write(name, target, now);
      if (former !== undefined && former.digest !== target.digest && this.byDigest(former.digest).length === 0) {
        this.#write(danglingName(former.digest), former, now);
      }
      if (name !== danglingName(target.digest)) this.delete([danglingName(target.digest)]);
      return former;
    });
  }

  /** Takes all names of an image away but keeps it, dangling. */
  makeDangling(target: Descriptor, now: Date): void {
    this.#state.transaction(() => {
      this.delete(this.byDigest(target.digest).map(({ name }) => name));
      this.#write(danglingName(target.digest), target, now);
    });
  }

  delete(names: readonly string[]): void {
    this.#state.transaction(() => {
      for (const name of names) this.#state.prepare("DELETE FROM image_names WHERE name = ?").run(name);
      this.#state.prepare("DELETE FROM image_parents WHERE digest NOT IN (SELECT digest FROM image_names)").run();
    });
  }

  /** Remembers which image one that was made here, and has its name, stands on. */
  setParent(digest: Digest, parent: Digest): void {
    this.#state.prepare("INSERT OR REPLACE INTO image_parents VALUES (?, ?)").run(digest, parent);
  }

  /** Undefined for one that was not made here. Its parent may be gone. */
  parentOf(digest: Digest): Digest | undefined {
    return this.#state.prepare<{ parent: Digest }>("SELECT parent FROM image_parents WHERE digest = ?").get(digest)?.parent;
  }

  #write(name: string, target: Descriptor, now: Date): void {
    const time = now.toISOString();
    this.#state
      .prepare(
        `INSERT INTO image_names (name, digest, target, created, updated) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, target = excluded.target, updated = excluded.updated`,
      )
      .run(name, target.digest, JSON.stringify(target), time, time);
  }
}

const fromRow = (row: Row): ImageName => ({ ...row, target: JSON.parse(row.target) as Descriptor });
