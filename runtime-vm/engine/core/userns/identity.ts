/** Which users of this machine the users of a container are (user_namespaces(7)). */

/** So many ids from `container` on inside are those from `host` on outside. */
export interface IdRange {
  readonly container: number;
  readonly host: number;
  readonly size: number;
}

export interface IdentityMap {
  readonly uid: readonly IdRange[];
  readonly gid: readonly IdRange[];
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What the kernel calls an owner that a namespace has no id for. */
const nobody = 65_534;

const outside = (ranges: readonly IdRange[], id: number): number => shifted(ranges, id, "container", "host");
const inside = (ranges: readonly IdRange[], id: number): number => shifted(ranges, id, "host", "container");

function shifted(ranges: readonly IdRange[], id: number, from: "container" | "host", to: "container" | "host"): number {
  const range = ranges.find((one) => id >= one[from] && id < one[from] + one.size);
  return range === undefined ? nobody : range[to] + id - range[from];
}

/** The owner on this machine of what a container's user owns. Without a map both are the same. */
export const ownerOutside = (map: IdentityMap | undefined, { uid, gid }: Owner): Owner =>
  map === undefined ? { uid, gid } : { uid: outside(map.uid, uid), gid: outside(map.gid, gid) };

/** The owner as a container sees it. */
export const ownerInside = (map: IdentityMap | undefined, { uid, gid }: Owner): Owner =>
  map === undefined ? { uid, gid } : { uid: inside(map.uid, uid), gid: inside(map.gid, gid) };

/** Who a container's root is on this machine. */
export const mappedRoot = (map: IdentityMap | undefined): Owner => ownerOutside(map, { uid: 0, gid: 0 });
