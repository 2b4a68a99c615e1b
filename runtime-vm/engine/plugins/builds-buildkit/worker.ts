import type { BuildBackends } from "#core/builds/backends.ts";
import { boundsOn } from "#core/builds/bounds.ts";
import { diskOf } from "#core/builds/prune.ts";
import { spanMs } from "#core/clock/until.ts";
import type { BuildGcRule } from "#core/config/build-gc.ts";
import { emulatedPlatforms } from "#core/images/emulated.ts";
import { Writer } from "./proto.ts";

const labels = { "org.mobyproject.buildkit.worker.executor": "containerd", "org.mobyproject.buildkit.worker.snapshotter": "overlayfs" };

/** The one that builds everything here, as `docker buildx inspect` shows it (moby.buildkit.v1.types.WorkerRecord). */
export function worker({ host, config, paths }: BuildBackends, version: string): Writer {
  const platforms = [host, ...emulatedPlatforms(host)].map(({ os, architecture, variant = "" }) =>
    new Writer().text(1, architecture).text(2, os).text(3, variant),
  );
  const disk = diskOf(paths.builds);
  const rules = config.buildGc.map((rule) => gcPolicy(rule, disk));
  return new Writer().text(1, "slipway").map(2, labels).messages(3, platforms).messages(4, rules).message(5, versionRecord(version));
}

export const versionRecord = (version: string): Writer => new Writer().text(1, "github.com/moby/buildkit").text(2, version);

function gcPolicy({ all, bounds, filters }: BuildGcRule, disk: ReturnType<typeof diskOf>): Writer {
  const { "unused-for": [unused = ""] = [], ...others } = filters;
  const { reserved = 0, maxUsed = 0, minFree = 0 } = boundsOn(disk, bounds);
  const words = Object.entries(others).flatMap(([name, values]) => values.map((value) => `${name}==${value}`));
  return new Writer()
    .bool(1, all)
    .int(2, BigInt(spanMs(unused) ?? 0) * 1_000_000n)
    .int(3, reserved)
    .texts(4, words)
    .int(5, maxUsed)
    .int(6, minFree);
}
