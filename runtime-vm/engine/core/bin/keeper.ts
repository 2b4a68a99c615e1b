import type { TrashKind, TrashRestored } from "#api/trash.ts";

/** How long removed things are kept, and how much of them; 0 of either: not at all. */
export interface TrashLimits {
  readonly days: number;
  readonly bytes: number;
}

/** One removed thing that can be brought back. */
export interface KeptItem {
  readonly kind: TrashKind;
  readonly id: string;
  readonly name: string;
  /** The Compose project it is of. */
  readonly project?: string;
  readonly removedMs: number;
  /** Undefined until it was measured, after the removal. */
  readonly bytes: number | undefined;
}

/** The Compose project that a thing with these labels is of. */
export function projectOf(labels: Readonly<Record<string, string>> | null | undefined): { readonly project?: string } {
  const project = labels?.["com.docker.compose.project"];
  return project === undefined || project === "" ? {} : { project };
}

/** Takes the item out of the trash, in one transaction with `insert`, which puts its record back. Durable when it resolves. */
export type Take = (insert: () => void) => Promise<void>;

/** What one noun does with its removed things; `Kept` is what it needs to know of each. */
export interface Keeper<Kept> {
  /** Puts it back as it was. Rejects, with nothing changed, where that cannot be. */
  restore(item: KeptItem, kept: Kept, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">>;
  /** Lets its data go for good. It is in no table any more: what a crash leaves over is swept at the next start. */
  discard(item: KeptItem, kept: Kept): Promise<void>;
  /** Bytes of the disk it holds. */
  measure(item: KeptItem, kept: Kept): Promise<number>;
  /** Why it could not be brought back as it was. */
  fault(item: KeptItem, kept: Kept): string | undefined;
}
