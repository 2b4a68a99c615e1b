import { randomBytes } from "node:crypto";
import { familiarName, parseReference } from "#api/reference.ts";
import type { TrashRestored } from "#api/trash.ts";
import { EngineError } from "#base/errors.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { KeptItem, Keeper, Take } from "#core/bin/keeper.ts";
import { nameAgain } from "#core/bin/names.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import { shownName } from "./lookup.ts";
import { danglingName, type ImageName, isDangling } from "./names.ts";
import { announce, type ImageParts, publishIndex } from "./parts.ts";

interface KeptName {
  readonly name: string;
  /** When it was given, RFC 3339. */
  readonly updated: string;
}

/** What the trash keeps of an image: what it stands for, and how it was called. Its blobs and layers stay, held by this. */
export interface KeptImage {
  readonly target: Descriptor;
  /** Normalized, as they are in the table of names. */
  readonly names: readonly KeptName[];
  readonly parent?: Digest;
}

/** What images in the trash stand for. */
export const keptTargets = (bin: Bin): Descriptor[] => bin.all<KeptImage>("image").map(({ kept }) => kept.target);

/** Removed images: brought back under their names, or under others where those are taken. */
export class ImageKeeper implements Keeper<KeptImage> {
  readonly #parts: ImageParts;
  readonly #bin: Bin;

  constructor(parts: ImageParts, bin: Bin) {
    this.#parts = parts;
    this.#bin = bin;
    bin.register("image", this);
  }

  get isOn(): boolean {
    return this.#bin.isOn;
  }

  /** Takes all names of an image away, and keeps it. */
  async keep(target: Descriptor, images: readonly ImageName[]): Promise<void> {
    const { names } = this.#parts;
    const parent = names.parentOf(target.digest);
    const [named = images[0]] = images.filter((image) => !isDangling(image));
    const name = named === undefined ? target.digest : shownName(named);
    const kept: KeptImage = { target, names: images.map(({ name: own, updated }) => ({ name: own, updated })), ...(parent === undefined ? {} : { parent }) };
    await this.#bin.keep({ kind: "image", id: randomBytes(32).toString("hex"), name }, kept, () => names.delete(kept.names.map((one) => one.name)));
  }

  async restore(item: KeptItem, kept: KeptImage, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { names } = this.#parts;
    const fault = this.fault(item, kept);
    if (fault !== undefined) throw new EngineError("conflict", `image ${item.name} cannot be brought back: ${fault}`);
    const { target, parent } = kept;
    const { wanted, warnings } = this.#namesAgain(kept);
    await take(() => {
      const now = new Date();
      for (const { name, updated } of wanted) names.put(name, target, new Date(updated));
      if (names.byDigest(target.digest).length === 0) names.makeDangling(target, now);
      if (parent !== undefined) names.setParent(target.digest, parent);
    });
    publishIndex(this.#parts);
    const [first] = names.byDigest(target.digest);
    const name = first === undefined ? target.digest : shownName(first);
    await announce(this.#parts, "load", { id: target.digest, name, target });
    return { Name: name, Warnings: warnings, Also: [] };
  }

  async discard(_item: KeptItem, { target }: KeptImage): Promise<void> {
    await this.#parts.collector.collect([target]);
  }

  async measure(_item: KeptItem, { target }: KeptImage): Promise<number> {
    return await this.#parts.collector.weigh([target]);
  }

  fault(_item: KeptItem, { target }: KeptImage): string | undefined {
    return this.#parts.documents.has(target.digest) ? undefined : `${target.digest}, which it stands for, is not here any more`;
  }

  /** Names that are free, or the first of them with a number behind. A digest in place of a tag cannot have one. */
  #namesAgain({ target, names: had }: KeptImage): { wanted: readonly KeptName[]; warnings: readonly string[] } {
    const { names } = this.#parts;
    const own = had.filter(({ name }) => name !== danglingName(target.digest));
    const isFree = (name: string): boolean => (names.get(name)?.target.digest ?? target.digest) === target.digest;
    const wanted = own.filter(({ name }) => isFree(name));
    const [tagged] = own.filter(({ name }) => !name.includes("@"));
    if (wanted.length > 0 || tagged === undefined || names.byDigest(target.digest).length > 0) return { wanted, warnings: [] };
    const { name } = nameAgain(tagged.name, isFree);
    return { wanted: [{ ...tagged, name }], warnings: [`the name ${familiar(tagged.name)} is taken by now: it is called ${familiar(name)}`] };
  }
}

const familiar = (name: string): string => familiarName(parseReference(name));
