import type { FileEntry, FileList } from "./files.ts";

/** Answer of `GET /slipway/images/{name}/layers`. */
export interface ImageLayers {
  /** Lowest first. */
  readonly Layers: readonly ImageLayer[];
  /** Bytes of files in all layers, and those of them that nobody sees: overwritten or removed by a later layer. */
  readonly Size: number;
  readonly Wasted: number;
}

export interface ImageLayer {
  readonly DiffID: string;
  /** The instruction that made it, as the image's history has it. */
  readonly CreatedBy: string;
  readonly Files: number;
  readonly Size: number;
  readonly Wasted: number;
}

/** Answer of `GET /slipway/images/{name}/files?path=`: a directory of the image, or with `layer=` of one layer alone. */
export interface ImageFileList extends FileList {
  readonly entries: readonly ImageFileEntry[];
  /** Names that this layer takes away from the directory as lower layers have it; empty for the whole image. */
  readonly removed: readonly string[];
  /** This layer's directory hides all that lower layers have in it. */
  readonly opaque: boolean;
}

export interface ImageFileEntry extends FileEntry {
  /** Which layer it comes from, counted from the lowest. */
  readonly layer: number;
}
