/** Bytes, or a share of the disk from 0 to 1. */
export type DiskSize = { readonly bytes: number } | { readonly share: number };

/** What bounds the cache's size; a bound that is not there bounds nothing. */
export interface CacheBounds<Size = number> {
  /** The cache may not be larger. */
  readonly maxUsed?: Size;
  /** So much may stay whatever else is said; on its own, so much and no more. */
  readonly reserved?: Size;
  /** The disk shall have so much left: the cache makes room for it. */
  readonly minFree?: Size;
}

export interface Disk {
  readonly bytes: number;
  readonly free: number;
}

export function boundsOn({ bytes }: Disk, { maxUsed, reserved, minFree }: CacheBounds<DiskSize>): CacheBounds {
  const size = (of: DiskSize): number => ("bytes" in of ? of.bytes : Math.floor(bytes * of.share));
  return {
    ...(maxUsed === undefined ? {} : { maxUsed: size(maxUsed) }),
    ...(reserved === undefined ? {} : { reserved: size(reserved) }),
    ...(minFree === undefined ? {} : { minFree: size(minFree) }),
  };
}

/** As requests give them: 0 says nothing. */
export const givenBounds = (sizes: CacheBounds): CacheBounds => Object.fromEntries(Object.entries(sizes).filter(([, size]) => size > 0));

/** How much of a cache of `used` bytes may stay: nothing where nothing is said. */
export function keptBytes({ maxUsed, reserved = 0, minFree }: CacheBounds, { used, free }: { used: number; free: number }): number {
  if (maxUsed === undefined && minFree === undefined) return reserved;
  const lacking = Math.max(0, (minFree ?? 0) - free);
  const room = lacking === 0 ? Number.POSITIVE_INFINITY : Math.max(0, used - lacking);
  return Math.max(reserved, Math.min(maxUsed ?? Number.POSITIVE_INFINITY, room));
}

/** Whether a cache may stay however large it is: all that the disk holds would not be too much. */
export function sparesAny(bounds: CacheBounds, { bytes, free }: Disk): boolean {
  const used = bytes - free;
  return used <= keptBytes(bounds, { used, free });
}
