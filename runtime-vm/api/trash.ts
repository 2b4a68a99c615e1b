/** Kinds of things that can be brought back after they were removed. */
export type TrashKind = "container" | "image" | "volume" | "network" | "build-cache" | "platform";

/** Type of the row that `GET /system/df` has among those of the build cache for all that is in the trash. */
export const TRASH_TYPE = "trash";

/** Row of `GET /slipway/trash`. */
export interface TrashItem {
  readonly Kind: TrashKind;
  readonly Id: string;
  readonly Name: string;
  /** RFC 3339. */
  readonly RemovedAt: string;
  readonly Bytes: number;
  /** The Compose project it is of. */
  readonly Project?: string;
}

/** Answer of `GET /slipway/trash`: what was removed and can be brought back, newest first. */
export interface TrashList {
  readonly Items: readonly TrashItem[];
  readonly Bytes: number;
  readonly Limits: { readonly Days: number; readonly Bytes: number };
}

/** Answer of `POST /slipway/trash/{id}/restore`. */
export interface TrashRestored {
  readonly Kind: TrashKind;
  readonly Id: string;
  /** Another than it had, where that is taken; a warning says so. */
  readonly Name: string;
  readonly Warnings: readonly string[];
  /** What came back along with it, since it stands on it. */
  readonly Also: readonly Pick<TrashItem, "Kind" | "Id" | "Name">[];
}

/** Answer of `POST /slipway/trash/restore?project=NAME`. */
export interface TrashProjectRestored {
  readonly Project: string;
  readonly Items: readonly Pick<TrashItem, "Kind" | "Id" | "Name">[];
  /** Of names that were taken, and of what could not come back. */
  readonly Warnings: readonly string[];
}

/** Answer of `DELETE /slipway/trash`. */
export interface TrashEmptied {
  readonly Items: number;
  readonly Bytes: number;
}
