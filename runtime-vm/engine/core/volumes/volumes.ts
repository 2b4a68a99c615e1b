import type { Volume, VolumeCreateRequest } from "#api/volumes.ts";

type Filters = Readonly<Record<string, readonly string[]>>;

/** What the name of a directory beside a volume's data begins with that is not whole yet, or not any more: what a crash leaves of one goes at the next start. */
export const HALF = ".half-";

export type Fill = (directory: string) => Promise<void>;

export interface VolumeStore {
  list(filters: Filters): Volume[];
  inspect(name: string): Volume;
  /**
   * Idempotent for the same name and driver. No name: a random 64-hex one (anonymous). A new one is used by the container `user` from the
   * beginning, and holds what `fill` writes into the directory it is given, all of it or it never came to be.
   */
  create(request: VolumeCreateRequest, made?: { readonly user?: string; readonly fill?: Fill }): Promise<Volume>;
  /** Writes into one that is empty: all of it or nothing, where nobody but its one user can see it meanwhile. */
  fill(name: string, fill: Fill): Promise<void>;
  /** Class conflict while in use; `force` only forgives a volume that is not there. With `forGood` it cannot be brought back: for one that never came to be. */
  remove(name: string, opts: { force: boolean; forGood?: true }): Promise<void>;
  /**
   * Counts `containerId` as a user of the volume (once, however often asked) and returns its directory, with the volume's
   * own device mounted there. Asked again before each start, so that a device mount is there after a reboot.
   */
  acquire(name: string, containerId: string): Promise<string>;
  /** `goes`: it is to be removed next, and the next engine does so where this one cannot. */
  release(name: string, containerId: string, opts?: { readonly goes: boolean }): Promise<void>;
  /** Its directory, with its device, and the volume in use until disposed of, by somebody who ends with this process. */
  hold(name: string): Promise<AsyncDisposable & { readonly path: string }>;
  /** Part of the caller's transaction, which removes the container: it is no user any more, but of those volumes that go with it. */
  leave(containerId: string, goers: readonly string[]): void;
  /** After a crash: forgets users that are not among these containers, and removes the anonymous volumes that came or went with them alone. */
  retain(containers: ReadonlySet<string>): Promise<void>;
  /** Removes unused volumes: anonymous ones, or all of them by `all=true`. */
  prune(filters: Filters, opts: { all: boolean }): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** Every volume with the bytes it holds and how many containers use it. */
  usage(): Promise<Volume[]>;
}
