import { randomUUID } from "node:crypto";
import type { BuildRecord } from "./history.ts";

/** What was asked of a build that makes one image; empty words are what was not said. */
export interface ImageBuild {
  readonly dockerfile: string;
  /** The folder on the host that was sent along, where it is known. */
  readonly folder?: string;
  readonly target: string;
  readonly platform: string;
  readonly args: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly pull: boolean;
}

export const argPrefix = "build-arg:";
export const folderKey = "slipway:folder";

/** As short as a client's own, and as hard to guess. */
export const newRef = (): string => randomUUID().replaceAll("-", "").slice(0, 25);

/** The record of a build that begins now, in the words of a client of BuildKit's. */
export const imageRecord = (build: ImageBuild, names: readonly string[], steps: BuildRecord["steps"]): BuildRecord => ({
  ref: newRef(),
  attributes: {
    filename: build.dockerfile,
    ...(build.folder === undefined ? {} : { [folderKey]: build.folder }),
    ...(build.target === "" ? {} : { target: build.target }),
    ...(build.platform === "" ? {} : { platform: build.platform }),
    ...(build.noCache ? { "no-cache": "" } : {}),
    ...(build.pull ? { "image-resolve-mode": "pull" } : {}),
    ...Object.fromEntries(Object.entries(build.args).map(([name, value]) => [`${argPrefix}${name}`, value])),
  },
  exporters: [{ type: "image", attributes: { name: names.join(",") } }],
  created: new Date().toISOString(),
  told: {},
  results: {},
  documents: {},
  steps,
  pinned: false,
});

/** What such a build tells in the end. */
export const toldOf = (image: string, names: readonly string[]): Pick<BuildRecord, "told"> => ({
  told: { "containerimage.digest": image, ...(names.length === 0 ? {} : { "image.name": names.join(",") }) },
});
