import { statfs } from "node:fs/promises";
import { type DiskLevel, type DiskRoom, levelOf, roomFrom, takenShare } from "#base/disk-room.ts";
import type { Journal } from "../journal/journal.ts";

const everyMs = 30_000;
const rank: Readonly<Record<DiskLevel, number>> = { plenty: 0, low: 1, critical: 2 };

export interface DiskWatchParts {
  /** The engine's root directory. */
  readonly root: string;
  /** What takes most of the disk, and what a prune would give back. */
  readonly describe: () => Promise<string>;
  readonly journal: Pick<Journal, "warn">;
}

/** Looks at the engine's disk now and then, and says in the journal when it has become full, before writes fail for it. */
export class DiskWatch implements Disposable {
  readonly #parts: DiskWatchParts;
  readonly #timer: NodeJS.Timeout;
  #level: DiskLevel = "plenty";

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.look(), everyMs).unref();
  }

  /** A level is told of when it is reached from below. Never rejects. */
  async look(): Promise<void> {
    const { root, describe, journal } = this.#parts;
    try {
      const room = roomFrom(await statfs(root));
      const before = this.#level;
      this.#level = levelOf(room);
      if (rank[this.#level] > rank[before]) journal.warn(`${fullness(root, room)}; ${await describe()}`);
    } catch (error) {
      journal.warn(`the room on the disk of ${root} could not be read`, error);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Undefined: there is plenty. */
export async function diskWarning(root: string): Promise<string | undefined> {
  const room = roomFrom(await statfs(root));
  return levelOf(room) === "plenty"
    ? undefined
    : `${fullness(root, room)}: docker system df shows what takes it, docker system prune gives back what is not in use`;
}

const fullness = (root: string, room: DiskRoom): string =>
  `the disk of ${root} is ${Math.floor(takenShare(room) * 100)} % full, ${Math.floor(room.freeBytes / 2 ** 20)} MiB are left`;
