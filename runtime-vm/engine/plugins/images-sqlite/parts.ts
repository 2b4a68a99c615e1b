import { familiarName } from "#api/reference.ts";
import type { ContentStore, Descriptor, Digest, NamedDescriptor } from "#core/content/content.ts";
import type { EventLog } from "#core/events/events.ts";
import { assertMatching, isLayerType } from "#core/images/manifests.ts";
import type { Platform } from "#core/images/platform.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import type { Registries } from "#core/registry/registry.ts";
import type { Collector } from "./collector.ts";
import type { Documents, Variant } from "./documents.ts";
import type { Fetcher } from "./fetcher.ts";
import { isDangling, type ImageNames } from "./names.ts";
import { referenceOf } from "./lookup.ts";

/** What the image store's operations work with. */
export interface ImageParts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly registries: Registries;
  readonly events: EventLog;
  readonly names: ImageNames;
  readonly documents: Documents;
  readonly collector: Collector;
  readonly fetcher: Fetcher;
  readonly host: Platform;
}

/** Tells `/events` what happened to an image; its labels come along while it is there, as dockerd's events have them. */
export async function announce({ documents, events, host }: ImageParts, action: string, what: { id: string; name: string; target: Descriptor }): Promise<void> {
  const leaves = action === "untag" || action === "delete";
  const labels = leaves ? {} : ((await documents.best(what.target, host))?.config?.config?.Labels ?? {});
  events.publish({ type: "image", action, id: what.id, attributes: { ...labels, name: what.name } });
}

/** Every image under the name people read. */
export const namedDescriptors = ({ names }: ImageParts): NamedDescriptor[] =>
  names.all().map((image) => (isDangling(image) ? { descriptor: image.target } : { name: familiarName(referenceOf(image)), descriptor: image.target }));

/** Brings the layout's index.json in step with the names. */
export const publishIndex = (parts: ImageParts): void => parts.content.publish(namedDescriptors(parts));

/** Unpacks what of a variant's layers is not yet; their blobs must be here. */
export async function unpackVariant({ content, layers }: ImageParts, variant: Variant, signal: AbortSignal): Promise<void> {
  const blobs = (variant.manifest?.layers ?? []).filter(({ mediaType }) => isLayerType(mediaType));
  const diffIds = (variant.config?.rootfs.diff_ids ?? []) as readonly Digest[];
  if (variant.manifest !== undefined) assertMatching(variant.manifest, diffIds);
  await Promise.all(
    [...new Set(diffIds)].map(async (diffId) => {
      if (layers.has(diffId)) return;
      const blob = blobs[diffIds.indexOf(diffId)]!;
      await layers.unpack({ path: content.path(blob.digest), digest: blob.digest }, { expected: diffId, signal });
    }),
  );
}
