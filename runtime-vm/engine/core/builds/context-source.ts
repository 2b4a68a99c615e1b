import type { BuiltLayer } from "../images/building.ts";
import { planCopy } from "./copy.ts";
import { layerTar } from "./layer-tar.ts";
import { contentKey, type Source } from "./sources.ts";
import type { BuildWork } from "./work.ts";

/** A context of files to copy from or to mount: its layer is made once, and only for whoever mounts it. */
export function contextSource(work: BuildWork, tree: Source["tree"]): Source {
  let layer: ReturnType<typeof contextLayer> | undefined;
  const source: Source = {
    tree,
    layers: async () => [(await (layer ??= contextLayer(work, source))).diffId],
    key: async (path) => await contentKey(await tree(), [path]),
    ownOwner: false,
  };
  return source;
}

/** The files of a context as a layer. */
export async function contextLayer(work: BuildWork, source: Source): Promise<BuiltLayer> {
  const tree = await source.tree();
  const items = planCopy({
    sources: [{ kind: "archive", tree }],
    destination: "/",
    root: await work.roots.tree([]),
    owner: undefined,
    chmod: undefined,
    parents: false,
    excludes: [],
    now: work.now,
  });
  return await work.backends.builder.writeLayer(layerTar(items), work.request.signal);
}
