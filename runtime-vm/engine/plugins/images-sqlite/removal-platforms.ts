import { EngineError } from "#base/errors.ts";
import type { ImageDeleteItem } from "#api/images.ts";
import type { ImageUsers } from "#core/images/images.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { shortDigest } from "#core/images/progress.ts";
import { bestOf, type Variant } from "./documents.ts";
import type { PlatformKeeper } from "./kept-platform.ts";
import { preferred } from "./listing.ts";
import { lookUp, shownName } from "./lookup.ts";
import type { ImageParts } from "./parts.ts";

/** `docker rmi --platform`: the manifests for these platforms go, and what only they refer to, into the trash where there is one. All are found before one goes. */
export async function removePlatforms(
  parts: ImageParts,
  reference: string,
  { platforms, force, users, keeper }: { platforms: readonly Platform[]; force: boolean; users: ImageUsers; keeper: PlatformKeeper | undefined },
): Promise<ImageDeleteItem[]> {
  const { digest, named, all } = lookUp(parts.names, reference);
  const variants = await parts.documents.variants(all[0]!.target);
  if (!force) throw new EngineError("invalidArgument", "Content will be removed from all images referencing this variant. Use \u2014-force to force delete.");
  const found = platforms.map((platform) => {
    const variant = bestOf(
      variants.filter(({ available }) => available),
      platform,
    );
    if (variant !== undefined) return variant;
    const shown = shownName(named ?? all[0]!);
    const why = `image with reference ${shown} was found but does not provide any platform`;
    throw new EngineError("notFound", `failed to delete platform ${formatPlatform(platform)} for image ${digest}: ${why}`);
  });
  const running = users(digest).find((user) => user.running);
  if (running !== undefined && found.includes(preferred(variants, parts.host)!)) {
    const why = `image is being used by running container ${shortDigest(running.id)}`;
    throw new EngineError("conflict", `conflict: unable to delete ${shortDigest(digest)} (cannot be forced) - ${why}`);
  }
  const items: ImageDeleteItem[] = [];
  for (const variant of new Set<Variant>(found)) {
    await (keeper?.isOn === true ? keeper.keep(named ?? all[0]!, variant) : parts.collector.discard(variant.descriptor));
    items.push({ Deleted: variant.descriptor.digest });
  }
  return items;
}
