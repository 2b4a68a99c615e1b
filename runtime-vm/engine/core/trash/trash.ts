/**
 * Where removed things wait until they are reclaimed: removal is one rename, so it is quick, and a crash leaves either
 * the thing or nothing. Everything that `move` takes must be on the same file system as the trash.
 */
export interface Trash {
  /** Renames `path` (file or directory) into the trash; a missing one is fine. Reclaimed in the background. */
  move(path: string): void;
}
