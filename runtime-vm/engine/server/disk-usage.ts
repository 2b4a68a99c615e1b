import { EngineError } from "#base/errors.ts";
import { TRASH_TYPE, type TrashList } from "#api/trash.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { ContainerSummary } from "#api/containers.ts";
import { type ApiVersion, has } from "#api/versions.ts";
import type { CacheUse } from "#core/builds/prune.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { VolumeStore } from "#core/volumes/volumes.ts";

export interface DiskBackends {
  readonly containers: Pick<ContainerManager, "list" | "imageUsers">;
  readonly images: Pick<ImageStore, "list" | "totalBytes">;
  readonly volumes: Pick<VolumeStore, "usage">;
  readonly builds: { usage(): Promise<CacheUse[]> };
  readonly bin: Pick<Bin, "list">;
}

const kinds = ["container", "image", "volume", "build-cache"];

/** `GET /system/df`: what was not asked for is null. Clients that cannot ask get all. */
export async function diskUsage(backends: DiskBackends, version: ApiVersion, asked: readonly string[]): Promise<Record<string, unknown>> {
  const types = has(version, "diskUsageTypes") ? asked : [];
  for (const type of types) {
    if (!kinds.includes(type)) throw new EngineError("invalidArgument", `unknown object type: ${type}`);
  }
  const wants = (type: string): boolean => types.length === 0 || types.includes(type);
  const images = wants("image") ? await imagesOf(backends) : undefined;
  return {
    LayersSize: images === undefined ? 0 : await backends.images.totalBytes(),
    Images: images?.map((image) => (has(version, "noVirtualSize") ? image : { ...image, VirtualSize: image.Size })) ?? null,
    Containers: wants("container") ? await containersOf(backends) : null,
    Volumes: wants("volume") ? await backends.volumes.usage() : null,
    BuildCache: wants("build-cache") ? [...(await backends.builds.usage()).map(cacheRow), ...trashRow(await backends.bin.list())] : null,
  };
}

export const imagesOf = ({ images, containers }: DiskBackends): ReturnType<ImageStore["list"]> =>
  images.list({ filters: {}, manifests: false, sharedSize: true, users: (id) => containers.imageUsers(id) });

const cacheRow = ({ id, type, description, bytes, shared, record }: CacheUse): object => ({
  ID: id,
  Type: type,
  Description: description,
  InUse: false,
  Shared: shared,
  Size: bytes,
  CreatedAt: record.created,
  LastUsedAt: record.lastUsed,
  UsageCount: record.usageCount,
});

/** The stock CLI has no line of its own for it: one of the build cache's, whose room comes back as it is needed, too. None for an empty trash. */
function trashRow({ Items, Bytes }: TrashList): object[] {
  const [newest, oldest] = [Items[0], Items.at(-1)];
  if (newest === undefined || oldest === undefined || Bytes === 0) return [];
  return [
    {
      ID: TRASH_TYPE,
      Type: TRASH_TYPE,
      Description: `${Items.length} removed things that can be brought back`,
      InUse: false,
      Shared: false,
      Size: Bytes,
      CreatedAt: oldest.RemovedAt,
      LastUsedAt: newest.RemovedAt,
      UsageCount: Items.length,
    },
  ];
}

/** Rows of the list, without what only the list tells. */
export async function containersOf({ containers }: DiskBackends): Promise<Omit<ContainerSummary, "ImageManifestDescriptor">[]> {
  const rows = await containers.list({ all: true, limit: 0, size: true, filters: {} });
  return rows.map(({ ImageManifestDescriptor: _, ...row }) => row);
}
