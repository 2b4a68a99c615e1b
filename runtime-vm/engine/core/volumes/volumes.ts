import type { Volume, VolumeCreateRequest } from "#api/volumes.ts";

export interface VolumeStore {
  list(filters: Readonly<Record<string, readonly string[]>>): Volume[];
  inspect(name: string): Volume;
  /** Idempotent for the same name and driver. No name: a random 64-hex one (anonymous). */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** Moves the data into the trash. Conflict while in use. */
  remove(name: string, opts: { force: boolean }): Promise<void>;
  /** Counts a user of the volume and returns its directory. */
  acquire(name: string, containerId: string): Promise<string>;
  release(name: string, containerId: string): Promise<void>;
}
