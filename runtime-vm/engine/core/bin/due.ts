import type { KeptItem, TrashLimits } from "./keeper.ts";

/** Each costs a little at every start. */
const itemsMax = 1_000;
const dayMs = 24 * 60 * 60 * 1_000;

/** Which item of the trash (oldest first) goes next, and why. Undefined: all may stay. `nowMs` undefined: nobody knows, so nothing is too old. */
export function nextDue(
  items: Iterable<KeptItem>,
  { days, bytes: bytesMax }: TrashLimits,
  nowMs: number | undefined,
): { item: KeptItem; why: string } | undefined {
  const all = [...items];
  const [oldest] = all;
  if (oldest === undefined) return undefined;
  if (days === 0 || bytesMax === 0) return { item: oldest, why: "the trash is off" };
  if (nowMs !== undefined && nowMs - oldest.removedMs >= days * dayMs) return { item: oldest, why: `it was removed ${days} days ago` };
  if (all.length > itemsMax) return { item: oldest, why: `there are more than ${itemsMax} things` };
  // One thing that alone is too much does not take all the others along.
  const large = all.find(({ bytes = 0 }) => bytes > bytesMax);
  if (large !== undefined) return { item: large, why: "it is larger than the whole trash may be" };
  const sum = all.reduce((total, { bytes = 0 }) => total + bytes, 0);
  const holder = all.find(({ bytes = 0 }) => bytes > 0);
  return sum > bytesMax && holder !== undefined ? { item: holder, why: "the trash is full" } : undefined;
}
