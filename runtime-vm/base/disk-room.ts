/** Room of a file system, in bytes; free is what an ordinary user may still write. */
export interface DiskRoom {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** `low` from 85 % taken, `critical` from 95 %. */
export type DiskLevel = "plenty" | "low" | "critical";

const lowShare = 0.85;
const criticalShare = 0.95;

/** From statfs(2). */
export const roomFrom = ({ bsize, blocks, bavail }: { bsize: number; blocks: number; bavail: number }): DiskRoom => ({
  totalBytes: blocks * bsize,
  freeBytes: bavail * bsize,
});

/** The share that is taken, 0 to 1. */
export const takenShare = ({ totalBytes, freeBytes }: DiskRoom): number => (totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes);

export function levelOf(room: DiskRoom): DiskLevel {
  const share = takenShare(room);
  return share >= criticalShare ? "critical" : share >= lowShare ? "low" : "plenty";
}

const reserveBytesMax = 2 * 1024 ** 3;

/** A small disk is low, or of a large one so little is left, that what can be spared should go, before a write fails for it. */
export const isTight = ({ totalBytes, freeBytes }: DiskRoom): boolean => freeBytes < Math.min(totalBytes * (1 - lowShare), reserveBytesMax);
