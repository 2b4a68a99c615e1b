import type { Readable } from "node:stream";
import type { ImageFileList, ImageLayers } from "#api/image-files.ts";

export interface BrowseOptions {
  readonly platform?: string;
  /** One layer alone, counted from the lowest. */
  readonly layer?: number;
  readonly signal: AbortSignal;
}

/** Looks into images. Paths follow links inside the image only. */
export interface ImageBrowser {
  /** Each layer's size, and what of it later ones overwrite or remove. */
  layers(reference: string, opts: BrowseOptions): Promise<ImageLayers>;
  /** Class `notFound`, or `invalidArgument` for what is no directory. */
  list(reference: string, path: string, opts: BrowseOptions): Promise<ImageFileList>;
  read(reference: string, path: string, opts: BrowseOptions): Promise<{ readonly size: number; readonly bytes: Readable }>;
}
