import type { ContainerConfig, HostConfig } from "#api/containers.ts";
import type { EndpointSettings } from "#api/networks.ts";
import type { Descriptor, Digest } from "../content/content.ts";
import type { State } from "../state/state.ts";
import type { Traces } from "../why/facts.ts";

/** One file system of a container, as it was asked for and as it will be mounted. */
export interface MountRecord {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Bind: the path that was asked for. Volume: its directory. Image: the reference that was asked for. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** What `-v` said after the second colon; shown as it is. */
  readonly mode: string;
  readonly propagation: string;
  readonly nonRecursive?: boolean;
  /** Read-only is the mount alone, and not what is mounted below it. */
  readonly readOnlyNonRecursive?: boolean;
  readonly volume?: { readonly name: string; readonly driver: string; readonly anonymous: boolean; readonly subpath?: string };
  /** The root made of the image for this mount, and the part of it that is mounted. */
  readonly image?: { readonly snapshot: string; readonly subpath?: string };
  /** A bind source that is missing at start is made (`-v`), or is an error (`--mount`). */
  readonly createSource?: boolean;
  /** tmpfs only. */
  readonly options?: readonly string[];
}

/** What a container is, whatever it does: written when it is created, renamed or updated. */
export interface ContainerSpec {
  readonly createdAt: string;
  readonly image: { readonly id: Digest | ""; readonly manifest?: Descriptor; readonly layers: readonly Digest[] };
  /** Merged with the image's. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** By network name. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly mounts: readonly MountRecord[];
  readonly links?: readonly LinkRecord[];
  /** Its users are others of this machine, by the engine's map. */
  readonly mapped?: true;
}

/** `--link` of the default bridge: who is linked to, and how it is called. */
export interface LinkRecord {
  readonly id: string;
  readonly alias: string;
}

/** How the last run ended. Times as Docker prints them. */
export interface Ended {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  /** What else tells why it ended. */
  readonly traces?: Traces;
}

/** What a container does, as it is kept over restarts of the engine. */
export type Phase =
  /** Never ran; exit code and error are those of a start that failed. */
  | { readonly kind: "created"; readonly exitCode: number; readonly error: string }
  | { readonly kind: "running"; readonly startedAt: string; readonly paused: boolean }
  | ({ readonly kind: "restarting" } & Ended)
  | ({ readonly kind: "exited" } & Ended);

/** The part of a record that changes while it lives. */
export interface Progress {
  readonly phase: Phase;
  readonly restartCount: number;
  /** Stopped by somebody's wish: `unless-stopped` then stays down. */
  readonly manuallyStopped: boolean;
}

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly progress: Progress;
}

/** The containers' table. What a method wrote is durable when it returns, or its promise resolves; `setProgress` excepted. */
export class ContainerTable {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
    state.define("CREATE TABLE IF NOT EXISTS containers (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, progress TEXT NOT NULL)");
  }

  all(): ContainerRecord[] {
    const rows = this.#state.prepare<{ id: string; name: string; spec: string; progress: string }>("SELECT * FROM containers").all();
    return rows.map(({ id, name, spec, progress }) => ({ id, name, spec: JSON.parse(spec) as ContainerSpec, progress: JSON.parse(progress) as Progress }));
  }

  async insert(record: ContainerRecord): Promise<void> {
    this.#state.relaxed(() => this.put(record));
    try {
      await this.#state.settled();
    } catch (error) {
      this.#state.relaxed(() => this.delete(record.id));
      throw error;
    }
  }

  put({ id, name, spec, progress }: ContainerRecord): void {
    this.#state.prepare("INSERT INTO containers VALUES (?, ?, ?, ?)").run(id, name, JSON.stringify(spec), JSON.stringify(progress));
  }

  /**
   * After a power cut nothing runs any more, whatever was written: only where a restart policy will ask what a container was
   * doing does it have to be on the disk before anybody is told.
   */
  setProgress(id: string, progress: Progress, opts: { durable: boolean }): void {
    const update = this.#state.prepare("UPDATE containers SET progress = ? WHERE id = ?");
    const write = (): void => void update.run(JSON.stringify(progress), id);
    if (opts.durable) this.#state.transaction(write);
    else this.#state.relaxed(write);
  }

  setSpec(id: string, name: string, spec: ContainerSpec): void {
    this.#state.prepare("UPDATE containers SET name = ?, spec = ? WHERE id = ?").run(name, JSON.stringify(spec), id);
  }

  /** `also` is part of the transaction. */
  async remove(id: string, also: () => void = () => {}): Promise<void> {
    this.#state.relaxed(() => {
      this.delete(id);
      also();
    });
    await this.#state.settled();
  }

  /** Part of the caller's transaction, as is `put`. */
  delete(id: string): void {
    this.#state.prepare("DELETE FROM containers WHERE id = ?").run(id);
  }
}
