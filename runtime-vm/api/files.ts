/** Answer of `GET /slipway/containers/{id}/files?path=`: a directory of a container, running or not. */
export interface FileList {
  /** Of the directory, links followed. */
  readonly path: string;
  readonly entries: readonly FileEntry[];
  /** How many there are; more than `entries` has for a very large directory. */
  readonly total: number;
}

export interface FileEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "fifo" | "socket" | "device";
  readonly size: number;
  /** Permission bits, with set-user-id, set-group-id and sticky. */
  readonly mode: number;
  /** As the container sees them. */
  readonly uid: number;
  readonly gid: number;
  /** RFC 3339. */
  readonly mtime: string;
  /** Of a link, as it is written. */
  readonly target?: string;
}
