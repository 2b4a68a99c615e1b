import type { ContainerSummary } from "#api/containers.ts";
import type { ImageSummary } from "#api/images.ts";
import type { Volume } from "#api/volumes.ts";
import { TRASH_TYPE } from "#api/trash.ts";
import { plainName, shortId } from "./format.ts";

/** What the window reads of `GET /system/df`; sizes in bytes. */
export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?:
    | readonly {
        readonly ID: string;
        readonly Type?: string;
        readonly Description: string;
        readonly Size: number;
        readonly InUse: boolean;
        readonly Shared: boolean;
      }[]
    | null;
}

export type UseKind = "images" | "containers" | "volumes" | "cache";

/** One thing that takes room. */
export interface UseItem {
  readonly kind: UseKind;
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  /** A prune of its kind would delete it. */
  readonly unused: boolean;
}

export interface UseOfKind {
  readonly kind: UseKind;
  readonly bytes: number;
  readonly items: readonly UseItem[];
  /** What a prune would delete, largest first. */
  readonly unused: readonly UseItem[];
  readonly reclaimable: number;
}

/** Where the disk's room goes, kind by kind, as `docker system df -v` tells it. A layer that images share counts once, in the kind's whole. */
export function diskUse({ LayersSize = 0, Images, Containers, Volumes, BuildCache }: DiskUsage): readonly UseOfKind[] {
  const images = (Images ?? []).map((image) => ({
    kind: "images" as const,
    id: image.Id,
    name: image.RepoTags?.[0] ?? shortId(image.Id),
    bytes: image.Size - Math.max(0, image.SharedSize),
    unused: image.Containers === 0,
  }));
  const containers = (Containers ?? []).map((container) => ({
    kind: "containers" as const,
    id: container.Id,
    name: plainName(container.Names),
    bytes: container.SizeRw ?? 0,
    unused: !["running", "paused", "restarting"].includes(container.State),
  }));
  const volumes = (Volumes ?? []).map(({ Name, UsageData }) => ({
    kind: "volumes" as const,
    id: Name,
    name: /^[0-9a-f]{64}$/.test(Name) ? shortId(Name) : Name,
    bytes: Math.max(0, UsageData?.Size ?? 0),
    unused: UsageData?.RefCount === 0,
  }));
  const cache = (BuildCache ?? [])
    .filter(({ Shared, Type }) => !Shared && Type !== TRASH_TYPE)
    .map(({ ID, Description, Size, InUse }) => ({ kind: "cache" as const, id: ID, name: Description || shortId(ID), bytes: Size, unused: !InUse }));
  return [of("images", images, LayersSize), of("containers", containers), of("volumes", volumes), of("cache", cache)];
}

function of(kind: UseKind, items: readonly UseItem[], bytes = total(items)): UseOfKind {
  const unused = items.filter((item) => item.unused).toSorted((a, b) => b.bytes - a.bytes);
  return { kind, bytes, items, unused, reclaimable: total(unused) };
}

const total = (items: readonly UseItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);

/** The largest things of all kinds, largest first; empty ones left out. */
export const largest = (use: readonly UseOfKind[], max: number): readonly UseItem[] =>
  use
    .flatMap(({ items }) => items)
    .filter(({ bytes }) => bytes > 0)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, max);
