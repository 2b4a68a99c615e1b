import { latin } from "../containers/tar-files.ts";
import type { Digest } from "../content/content.ts";
import type { ImageBuilder } from "../images/building.ts";
import { isWhiteout, type LayerEntry } from "../layers/layer-entry.ts";

/** The uppermost of an image's layers (lowest first) that has each of these paths; those that none has are left out. A layer is read once, and none below the last that is needed. */
export async function layersOf(
  builder: Pick<ImageBuilder, "layerTree">,
  { diffIds, paths, signal }: { diffIds: readonly Digest[]; paths: Iterable<string>; signal: AbortSignal },
): Promise<ReadonlyMap<string, Digest>> {
  const wanted = new Map([...paths].map((path) => [latin(path), path]));
  const found = new Map<string, Digest>();
  for (const diffId of diffIds.toReversed()) {
    if (wanted.size === 0) break;
    for (const name of namesIn(await builder.layerTree(diffId, signal))) {
      const path = wanted.get(name);
      if (path === undefined) continue;
      found.set(path, diffId);
      wanted.delete(name);
    }
  }
  return found;
}

/** Whatever is there, not what is marked as removed. */
function* namesIn(root: LayerEntry): Generator<string> {
  const todo: { path: string; entry: LayerEntry }[] = [{ path: "", entry: root }];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const [name, entry] of at.entry.children ?? []) {
      if (isWhiteout(entry)) continue;
      const path = at.path === "" ? name : `${at.path}/${name}`;
      yield path;
      if (entry.children !== undefined) todo.push({ path, entry });
    }
  }
}
