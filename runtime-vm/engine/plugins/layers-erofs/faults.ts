import { basename, dirname } from "node:path";
import type { Digest } from "#core/content/content.ts";
import type { LayerFault } from "#core/layers/layers.ts";

/** What there is: as recorded, as believed, and as the kernel has it. */
export interface Standing {
  readonly layers: ReadonlyMap<Digest, { readonly whole: boolean }>;
  readonly roots: readonly { readonly id: string; readonly layers: readonly Digest[]; readonly mounted: boolean }[];
  /** Mount points below the directories of layers and of roots. */
  readonly layerMounts: readonly string[];
  readonly rootMounts: readonly string[];
}

/** Where records, roots and mounts do not go together. */
export function faultsOf({ layers, roots, layerMounts, rootMounts }: Standing): LayerFault[] {
  const faults: LayerFault[] = [];
  const tell = (object: string, problem: string): void => void faults.push({ object, problem });
  for (const [diffId, { whole }] of layers) if (!whole) tell(`layer ${diffId}`, "its files are not as long as its record says");
  const merged = new Set(rootMounts.filter((path) => basename(path) === "merged").map((path) => basename(dirname(path))));
  for (const { id, layers: below, mounted } of roots) {
    for (const diffId of below) if (!layers.has(diffId)) tell(`root ${id}`, `stands on layer ${diffId}, which is not here`);
    if (mounted && !merged.has(id)) tell(`root ${id}`, "should be mounted, and is not");
    if (!mounted && merged.has(id)) tell(`root ${id}`, "is mounted, though nobody uses it");
  }
  const known = new Set(roots.map(({ id }) => id));
  for (const id of merged) if (!known.has(id)) tell(`mount of root ${id}`, "belongs to no root");
  for (const path of layerMounts) if (!layers.has(`sha256:${basename(path)}`)) tell(`mount ${path}`, "belongs to no layer");
  return faults;
}
