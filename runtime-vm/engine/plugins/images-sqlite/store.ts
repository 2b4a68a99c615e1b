import { statSync } from "node:fs";
import type { Readable } from "node:stream";
import type { ImageDeleteItem, ImageHistoryItem, ImageInspect, ImagesPruneReport, ImageSummary, PullProgress, StoreCheck } from "#api/images.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { familiarName, normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, isClass } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import type { EventLog } from "#core/events/events.ts";
import type { ImageAddition, ImageListOptions, ImageStore, ImageUsers, ResolvedImage } from "#core/images/images.ts";
import { hostPlatform, parsePlatform, type Platform } from "#core/images/platform.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import type { Registries, RegistryAuth } from "#core/registry/registry.ts";
import type { State } from "#core/state/state.ts";
import { addImage } from "./add.ts";
import { browsable, LayerBrowser } from "./browse.ts";
import type { BuiltLayer, ImageBuilder } from "#core/images/building.ts";
import { StoreBuilder } from "./building.ts";
import { checkStore } from "./check.ts";
import { Collector } from "./collector.ts";
import { Documents } from "./documents.ts";
import { type FetchLimits, Fetcher } from "./fetcher.ts";
import { pruneFilter } from "./filters.ts";
import { describeAll, imageHistory, inspectImage, listImages, preferred, required } from "./listing.ts";
import { importImage } from "./import.ts";
import { ImageKeeper, keptTargets } from "./kept.ts";
import { keptPlatformTargets, PlatformKeeper } from "./kept-platform.ts";
import { load } from "./loading.ts";
import { lookUp, noSuchImage, shownName } from "./lookup.ts";
import { ImageNames, isDangling } from "./names.ts";
import { announce, publishIndex, unpackVariant, type ImageParts } from "./parts.ts";
import { pull } from "./pulling.ts";
import { push } from "./pushing.ts";
import { planRemoval } from "./removal.ts";
import { removePlatforms } from "./removal-platforms.ts";
import { save } from "./saving.ts";

export interface ImageStoreOptions {
  readonly state: State;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly registries: Registries;
  readonly events: EventLog;
  /** Node's name of the processor (`x64`). */
  readonly architecture: string;
  readonly limits?: TransferLimits;
  /** Layers that the build cache keeps. */
  readonly cached?: () => Iterable<BuiltLayer>;
  /** Those of build cache in the trash. */
  readonly trashedLayers?: () => Iterable<BuiltLayer>;
  /** Where removed images can be brought back from; absent: they are gone. */
  readonly bin?: Bin;
}

/** Read anew at each use: they may change while the engine runs. */
export interface TransferLimits extends FetchLimits {
  readonly maxConcurrentUploads: number;
}

/** As dockerd has them. */
const usualLimits: TransferLimits = { maxConcurrentDownloads: 3, maxDownloadAttempts: 5, maxConcurrentUploads: 5 };
const none = (): [] => [];
const keptDownloadMsMax = 24 * 3600 * 1000;

/**
 * Opens the image store: names in the state database, everything else in content and layers. Sweeps what an engine that
 * was killed left without a name, in the background; `swept` resolves when that is over.
 */
export function openImages(options: ImageStoreOptions): {
  readonly images: ImageStore;
  readonly builder: ImageBuilder;
  readonly swept: Promise<unknown>;
  /** Takes away again what no image has any more: of layers those that a container stood on when their image went. */
  readonly sweep: () => Promise<unknown>;
} {
  const { content, layers, registries, events } = options;
  const limits = options.limits ?? usualLimits;
  const names = new ImageNames(options.state);
  const documents = new Documents(content);
  const { bin } = options;
  const trashed = (): Descriptor[] => (bin === undefined ? [] : [...keptTargets(bin), ...keptPlatformTargets(bin)]);
  const { cached = none, trashedLayers = none } = options;
  const collector = new Collector({ content, layers, documents, names, cached, trashed, trashedLayers });
  const parts = {
    content,
    layers,
    registries,
    events,
    names,
    documents,
    collector,
    fetcher: new Fetcher(content, limits),
    host: hostPlatform(options.architecture),
  };
  publishIndex(parts);
  const isOld = (digest: Digest): boolean => Date.now() - statSync(content.path(digest)).mtimeMs > keptDownloadMsMax;
  const sweep = (): Promise<unknown> => collector.sweep(isOld);
  const keepers = bin === undefined ? {} : { images: new ImageKeeper(parts, bin), platforms: new PlatformKeeper(parts, bin) };
  return { images: new SqliteImageStore(parts, limits, keepers), builder: new StoreBuilder(parts), swept: sweep(), sweep };
}

/** None without a trash. */
interface Keepers {
  readonly images?: ImageKeeper;
  readonly platforms?: PlatformKeeper;
}

class SqliteImageStore implements ImageStore {
  readonly #parts: ImageParts;
  readonly #limits: TransferLimits;
  readonly #keepers: Keepers;
  readonly #lock = new KeyedLock();
  readonly browser: LayerBrowser;

  constructor(parts: ImageParts, limits: TransferLimits, keepers: Keepers) {
    this.#parts = parts;
    this.#limits = limits;
    this.#keepers = keepers;
    this.browser = new LayerBrowser(parts.layers, async (reference, platform) => browsable(await this.resolve(reference, platform)));
  }

  async resolve(reference: string, platform?: string): Promise<ResolvedImage> {
    const { digest, all } = lookUp(this.#parts.names, reference);
    const variants = await this.#parts.documents.variants(all[0]!.target);
    const wanted = this.#platform(platform);
    const best = wanted === undefined ? preferred(variants, this.#parts.host) : required(variants, wanted, reference);
    if (best?.config === undefined || !best.available) throw noSuchImage(reference);
    await using _hold = this.#parts.collector.hold();
    await unpackVariant(this.#parts, best, new AbortController().signal);
    return { id: digest, manifest: best.descriptor, config: best.config, layers: best.config.rootfs.diff_ids as readonly Digest[] };
  }

  add(addition: ImageAddition): Promise<Digest> {
    return addImage(this.#parts, addition);
  }

  list(opts: ImageListOptions): Promise<ImageSummary[]> {
    return listImages(this.#parts, opts);
  }

  async totalBytes(): Promise<number> {
    const { content, layers, collector } = this.#parts;
    const trashed = await collector.trashedBytes();
    const blobs = [...content.list()].reduce((sum, { size }) => sum + size, 0);
    return layers.list().reduce((sum, diffId) => sum + layers.unpackedSize(diffId), blobs) - trashed;
  }

  async inspect(reference: string, opts: { manifests?: boolean; platform?: string; users?: ImageUsers } = {}): Promise<ImageInspect> {
    const platform = this.#platform(opts.platform);
    const users = opts.users ?? ((): [] => []);
    return await inspectImage(this.#parts, reference, { users, manifests: opts.manifests ?? false, ...(platform === undefined ? {} : { platform }) });
  }

  async history(reference: string, opts: { platform?: string } = {}): Promise<ImageHistoryItem[]> {
    return await imageHistory(this.#parts, reference, this.#platform(opts.platform));
  }

  async tag(source: string, target: string): Promise<void> {
    const ref = withDefaultTag(parseReference(target));
    if (ref.digest !== undefined) throw new EngineError("invalidArgument", "refusing to create a tag with a digest reference");
    const image = this.#toTag(source);
    this.#parts.names.put(normalizedName(ref), image, new Date());
    publishIndex(this.#parts);
    await announce(this.#parts, "tag", { id: image.digest, name: familiarName(ref), target: image });
  }

  remove(reference: string, opts: { force: boolean; users: ImageUsers }): Promise<ImageDeleteItem[]> {
    return this.#lock.with("remove", async () => (await this.#remove(reference, opts)).items);
  }

  removePlatforms(reference: string, platforms: readonly string[], opts: { force: boolean; users: ImageUsers }): Promise<ImageDeleteItem[]> {
    const wanted = platforms.map((text) => parsePlatform(text, this.#parts.host));
    return this.#lock.with("remove", () => removePlatforms(this.#parts, reference, { ...opts, platforms: wanted, keeper: this.#keepers.platforms }));
  }

  prune(opts: { filters: Readonly<Record<string, readonly string[]>>; users: ImageUsers }): Promise<ImagesPruneReport> {
    return this.#lock.with("remove", async () => {
      const wanted = pruneFilter(opts.filters);
      const items: ImageDeleteItem[] = [];
      let bytes = 0;
      for (const image of await describeAll(this.#parts)) {
        if (!wanted(image) || opts.users(image.target.digest).length > 0) continue;
        // Of one that goes into the trash nothing is gone yet, and nothing but this asks how much it is.
        const kept = this.#keepers.images?.isOn === true ? await this.#parts.collector.weigh([image.target]) : 0;
        const removed = await this.#remove(image.target.digest, { force: true, users: opts.users });
        // What has no name is told under its id, though only here.
        if (image.names.every(isDangling)) items.push({ Untagged: image.target.digest });
        items.push(...removed.items);
        bytes += kept + removed.bytes;
      }
      bytes += (await this.#parts.collector.sweep(() => true)) + this.#parts.content.sweep();
      return { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: bytes };
    });
  }

  async *load(tar: Readable, opts: { platform?: string; signal: AbortSignal }): AsyncIterable<PullProgress> {
    yield* load(this.#parts, tar, { platform: this.#platform(opts.platform), signal: opts.signal });
  }

  async save(references: readonly string[], opts: { platform?: string; signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    return await save(this.#parts, references, { platform: this.#platform(opts.platform), signal: opts.signal });
  }

  async *pull(opts: { reference: string; platform?: string; auth?: RegistryAuth; signal: AbortSignal }): AsyncIterable<PullProgress> {
    const platform = this.#platform(opts.platform) ?? this.#parts.host;
    yield* pull(this.#parts, { reference: opts.reference, platform, signal: opts.signal, ...(opts.auth === undefined ? {} : { auth: opts.auth }) });
  }

  async *push(opts: { reference: string; platform?: string; auth?: RegistryAuth; signal: AbortSignal }): AsyncIterable<PullProgress> {
    const { reference, auth, signal } = opts;
    const uploads = this.#limits.maxConcurrentUploads;
    yield* push(this.#parts, { reference, platform: this.#platform(opts.platform), uploads, signal, ...(auth === undefined ? {} : { auth }) });
  }

  async import(opts: { tar: Readable; config: ImageRunConfig; message: string; platform?: string; name?: string; signal: AbortSignal }): Promise<Digest> {
    return await importImage(this.#parts, { ...opts, platform: this.#platform(opts.platform) ?? this.#parts.host });
  }

  check({ signal }: { signal: AbortSignal }): Promise<StoreCheck> {
    return checkStore(this.#parts, signal);
  }

  #platform(text: string | undefined): Platform | undefined {
    return text === undefined || text === "" ? undefined : parsePlatform(text, this.#parts.host);
  }

  async #remove(reference: string, opts: { force: boolean; users: ImageUsers }): Promise<{ items: ImageDeleteItem[]; bytes: number }> {
    const { names, collector } = this.#parts;
    const plan = planRemoval(names, reference, opts);
    const target = names.byDigest(plan.digest)[0]!.target;
    const keeper = plan.deletes && this.#keepers.images?.isOn === true ? this.#keepers.images : undefined;
    await keeper?.keep(target, plan.untag);
    if (plan.keeps) names.makeDangling(target, new Date());
    else if (keeper === undefined) names.delete(plan.untag.map(({ name }) => name));
    publishIndex(this.#parts);
    const items: ImageDeleteItem[] = [];
    for (const image of plan.untag.filter((one) => !isDangling(one))) {
      await announce(this.#parts, "untag", { id: plan.digest, name: shownName(image), target });
      items.push({ Untagged: shownName(image) });
    }
    if (!plan.deletes) return { items, bytes: 0 };
    await announce(this.#parts, "delete", { id: plan.digest, name: plan.digest, target });
    return { items: [...items, { Deleted: plan.digest }], bytes: keeper === undefined ? await collector.collect([target]) : 0 };
  }

  /** dockerd answers 404 for a source that is no reference, too. */
  #toTag(source: string): Descriptor {
    try {
      return lookUp(this.#parts.names, source).all[0]!.target;
    } catch (error) {
      throw isClass(error, "invalidArgument") ? new EngineError("notFound", error.message, { cause: error }) : error;
    }
  }
}
