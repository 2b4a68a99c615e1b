import type { ContainerBackends } from "./backends.ts";
import { tarEnd } from "../layers/tar-writer.ts";
import type { IdentityMap } from "../userns/identity.ts";
import { type Place, archivePath, baseOf, findPath } from "./archive-path.ts";
import { type TarFiles, copiedAttributes, gathered, tarTree } from "./tar-files.ts";
import { View } from "./view.ts";

type Kernel = Pick<ContainerBackends["kernel"], "getxattrs">;

/** A tar of the path under its own last name, as `docker cp` expects it. */
export function readArchive(view: View, kernel: Kernel, place: Place, map?: IdentityMap): AsyncGenerator<Buffer> {
  return gathered(archiveOf(view, filesOf(kernel, map), place));
}

async function* archiveOf(view: View, files: TarFiles, place: Place): AsyncGenerator<Buffer> {
  const { parent, name } = findPath(view, place);
  using _parent = parent;
  yield* tarTree(files, parent, name, baseOf(archivePath(place.path)));
  yield tarEnd();
}

/** Everything in a root directory, names without a first slash: `docker export`. */
export function exportArchive(rootfs: string, kernel: Kernel & Pick<ContainerBackends["kernel"], "openInRoot">, map?: IdentityMap): AsyncGenerator<Buffer> {
  return gathered(exportOf(new View(rootfs, kernel), filesOf(kernel, map)));
}

async function* exportOf(view: View, files: TarFiles): AsyncGenerator<Buffer> {
  using inside = view.directory("/");
  for (const name of inside.names()) yield* tarTree(files, inside, name, name);
  yield tarEnd();
}

const filesOf = (kernel: Kernel, map: IdentityMap | undefined): TarFiles => ({ kernel, keeps: copiedAttributes, links: new Map(), map });
