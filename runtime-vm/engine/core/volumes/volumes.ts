import type { Volume, VolumeCreateRequest } from "#api/volumes.ts";

type Filters = Readonly<Record<string, readonly string[]>>;

export interface VolumeStore {
  list(filters: Filters): Volume[];
  inspect(name: string): Volume;
  /** Idempotent for the same name and driver. No name: a random 64-hex one (anonymous). */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** Class conflict while in use; `force` only forgives a volume that is not there. With `forGood` it cannot be brought back: for one that never came to be. */
  remove(name: string, opts: { force: boolean; forGood?: true }): Promise<void>;
  /**
   * Counts `containerId` as a user of the volume (once, however often asked) and returns its directory, with the volume's
   * own device mounted there. Asked again before each start, so that a device mount is there after a reboot.
   */
  acquire(name: string, containerId: string): Promise<string>;
  release(name: string, containerId: string): Promise<void>;
  /** Forgets users that are not among these containers: after a crash between removing one and releasing its volumes. */
  retain(containers: ReadonlySet<string>): void;
  /** Removes unused volumes: anonymous ones, or all of them by `all=true`. */
  prune(filters: Filters, opts: { all: boolean }): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** Every volume with the bytes it holds and how many containers use it. */
  usage(): Promise<Volume[]>;
}
