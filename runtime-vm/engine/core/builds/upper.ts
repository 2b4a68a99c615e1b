import { type TarFiles, latin, tarFile } from "../containers/tar-files.ts";
import type { Directory } from "../containers/at.ts";
import { opaqueMark, whiteoutPrefix } from "../layers/layer-path.ts";
import { tarHead } from "../layers/tar-writer.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { FileTree } from "./tree.ts";

/** What a writable directory of an overlay holds, as a layer says it: what was removed is a mark. */
export interface UpperDirectory {
  readonly directory: Directory;
  readonly kernel: Pick<Kernel, "getxattrs">;
  /** What is below it; asked for only where a directory hides all that was there. */
  readonly below: () => Promise<FileTree>;
  /** Seconds: what is younger is said to be of then. */
  readonly latest?: number | undefined;
}

const kept = (name: string): boolean => !name.startsWith("trusted.overlay.") && name !== "security.selinux";

/** Pieces of the tar without its end; nothing at all where nothing was written. */
export async function* upperTar({ directory, kernel, below, latest }: UpperDirectory): AsyncGenerator<Buffer> {
  const files: TarFiles = { kernel, keeps: kept, links: new Map(), latest };
  yield* inside(files, directory, "", below);
}

async function* inside(files: TarFiles, directory: Directory, path: string, below: () => Promise<FileTree>): AsyncGenerator<Buffer> {
  for (const name of directory.names().toSorted()) {
    const stats = directory.lstat(name);
    if (stats === undefined) continue;
    const as = path === "" ? name : `${path}/${name}`;
    if (stats.isCharacterDevice() && stats.rdev === 0) {
      yield tarHead({ name: latin(`${path === "" ? "" : `${path}/`}${whiteoutPrefix}${name}`), mode: 0 }, 0);
      continue;
    }
    yield* tarFile(files, directory, name, { stats, as });
    if (!stats.isDirectory()) continue;
    using next = directory.directory(name);
    // The kernel marks every new directory so; it means something only where there was one.
    const opaque = files.kernel.getxattrs(next.at(".")).get("trusted.overlay.opaque")?.toString() === "y";
    if (opaque && (await below()).lstat(as)?.type === "directory") yield tarHead({ name: latin(`${as}/${opaqueMark}`), mode: 0 }, 0);
    yield* inside(files, next, as, below);
  }
}
