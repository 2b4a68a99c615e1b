import { randomBytes } from "node:crypto";
import type { TrashRestored } from "#api/trash.ts";
import { EngineError } from "#base/errors.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { KeptItem, Keeper, Take } from "#core/bin/keeper.ts";
import type { Descriptor } from "#core/content/content.ts";
import { formatPlatform } from "#core/images/platform.ts";
import type { Variant } from "./documents.ts";
import { shownName } from "./lookup.ts";
import type { ImageName } from "./names.ts";
import { announce, type ImageParts } from "./parts.ts";

/** What the trash keeps of one platform of an image that stays: its manifest itself, without which the image does not have it. */
interface KeptPlatform {
  /** What the image's names stand for. */
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  /** Base64. */
  readonly bytes: string;
  /** Config and layers: they stay, held by this. */
  readonly holds: readonly Descriptor[];
}

const kind = "platform";

/** What platforms in the trash stand for. */
export const keptPlatformTargets = (bin: Bin): Descriptor[] => bin.all<KeptPlatform>(kind).flatMap(({ kept }) => kept.holds);

/** Platforms that were removed from an image. */
export class PlatformKeeper implements Keeper<KeptPlatform> {
  readonly #parts: ImageParts;
  readonly #bin: Bin;

  constructor(parts: ImageParts, bin: Bin) {
    this.#parts = parts;
    this.#bin = bin;
    bin.register(kind, this);
  }

  get isOn(): boolean {
    return this.#bin.isOn;
  }

  async keep(image: ImageName, { descriptor, manifest, platform }: Variant): Promise<void> {
    const { content, collector } = this.#parts;
    const bytes = await content.read(descriptor.digest);
    const holds = manifest === undefined ? [] : [manifest.config, ...manifest.layers];
    const kept: KeptPlatform = { target: image.target, manifest: descriptor, bytes: bytes.toString("base64"), holds };
    const name = `${shownName(image)} for ${platform === undefined ? "an unknown platform" : formatPlatform(platform)}`;
    try {
      await this.#bin.keep({ kind, id: randomBytes(32).toString("hex"), name }, kept, () => collector.withdraw(descriptor));
    } catch (error) {
      await this.#write(kept);
      throw error;
    }
  }

  async restore(item: KeptItem, kept: KeptPlatform, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { target } = kept;
    await using _hold = this.#parts.collector.hold();
    const fault = this.fault(item, kept);
    if (fault !== undefined) throw new EngineError("conflict", `${item.name} cannot be brought back: ${fault}`);
    await this.#write(kept);
    await take(() => {});
    await announce(this.#parts, "load", { id: target.digest, name: target.digest, target });
    return { Name: item.name, Warnings: [], Also: [] };
  }

  async discard(_item: KeptItem, { holds }: KeptPlatform): Promise<void> {
    await this.#parts.collector.collect(holds);
  }

  async measure(_item: KeptItem, { holds }: KeptPlatform): Promise<number> {
    return await this.#parts.collector.weigh(holds);
  }

  fault(_item: KeptItem, { target, holds }: KeptPlatform): string | undefined {
    const missing = [target, ...holds].find(({ digest }) => !this.#parts.documents.has(digest));
    return missing === undefined ? undefined : `${missing.digest}, which it is part of or stands on, is not here any more`;
  }

  async #write({ manifest, bytes }: KeptPlatform): Promise<void> {
    const { content } = this.#parts;
    if (content.stat(manifest.digest) !== undefined) return;
    await using ingest = await content.ingest();
    await ingest.write(Buffer.from(bytes, "base64"));
    await ingest.commit({ digest: manifest.digest, size: manifest.size });
  }
}
