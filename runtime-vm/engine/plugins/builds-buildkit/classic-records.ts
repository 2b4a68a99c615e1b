import { randomUUID } from "node:crypto";
import type { ClassicOptions } from "#core/builds/classic.ts";
import type { ClassicRecord, ClassicRecords } from "#core/builds/classic-records.ts";
import type { Journal } from "#core/journal/journal.ts";
import { formatPlatform } from "#core/images/platform.ts";
import type { BuildHistory, BuildRecord } from "./history.ts";
import { Progress } from "./progress.ts";
import { failureOf } from "./recording.ts";
import { detailed } from "./source.ts";

/** Builds of the classic builder in the same history as BuildKit's, with the same display to look at. */
export const classicRecords = (history: BuildHistory, journal: Journal): ClassicRecords => ({
  begin(options, text) {
    const progress = new Progress({ isFollowed: false });
    const started: BuildRecord = {
      ref: randomUUID().replaceAll("-", "").slice(0, 25),
      attributes: attributesOf(options),
      exporters: [{ type: "image", attributes: { name: options.names.join(",") } }],
      created: new Date().toISOString(),
      told: {},
      results: {},
      documents: {},
      steps: progress.steps,
      pinned: false,
    };
    history.begin(started);
    const end = (more: Partial<BuildRecord>): void => {
      try {
        history.end({ ...started, ...more, completed: new Date().toISOString(), steps: progress.steps }, progress.recorded);
      } catch (error) {
        // The image is made, or its failure told: that stands.
        journal.warn(`build ${started.ref} is not in the history`, error);
      }
    };
    return {
      observer: progress,
      succeeded: (image) => end({ told: { "containerimage.digest": image, ...(options.names.length === 0 ? {} : { "image.name": options.names.join(",") }) } }),
      failed: (error) => end(failureOf(detailed(error, { filename: fileOf(options), text }))),
    } satisfies ClassicRecord;
  },
});

const fileOf = ({ dockerfile }: ClassicOptions): string => dockerfile || "Dockerfile";

function attributesOf(options: ClassicOptions): Record<string, string> {
  const { target, platform, args, noCache, pull } = options;
  return {
    filename: fileOf(options),
    ...(target === "" ? {} : { target }),
    ...(platform === undefined ? {} : { platform: formatPlatform(platform) }),
    ...(noCache ? { "no-cache": "" } : {}),
    ...(pull ? { "image-resolve-mode": "pull" } : {}),
    ...Object.fromEntries([...args].map(([name, value]) => [`build-arg:${name}`, value])),
  };
}
