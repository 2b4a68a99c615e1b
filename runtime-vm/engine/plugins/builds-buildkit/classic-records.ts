import type { ClassicOptions } from "#core/builds/classic.ts";
import type { ClassicRecord, ClassicRecords } from "#core/builds/classic-records.ts";
import { formatPlatform } from "#core/images/platform.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { BuildHistory, BuildRecord } from "./history.ts";
import { type ImageBuild, imageRecord, toldOf } from "./image-records.ts";
import { Progress } from "./progress.ts";
import { failureOf } from "./recording.ts";
import { detailed } from "./source.ts";

/** Builds of the classic builder in the same history as BuildKit's, with the same display to look at. */
export const classicRecords = (history: BuildHistory, journal: Journal): ClassicRecords => ({
  begin(options, text) {
    const progress = new Progress({ isOnlyRecorded: true });
    const build = imageBuild(options);
    const started = imageRecord(build, options.names, progress.steps);
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
      succeeded: (image) => end(toldOf(image, options.names)),
      failed: (error) => end(failureOf(detailed(error, { filename: build.dockerfile, text }))),
    } satisfies ClassicRecord;
  },
});

const imageBuild = ({ dockerfile, target, platform, args, noCache, pull }: ClassicOptions): ImageBuild => ({
  dockerfile: dockerfile || "Dockerfile",
  target,
  platform: platform === undefined ? "" : formatPlatform(platform),
  args: Object.fromEntries(args),
  noCache,
  pull,
});
