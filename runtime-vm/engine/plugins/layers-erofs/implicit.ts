import { chmodSync, lchownSync, lstatSync, utimesSync, type Stats } from "node:fs";
import { join } from "node:path";

/** A layer as an overlay has it: its directory, and which of its directories no entry of its tar describes. */
export interface StackedLayer {
  readonly directory: string;
  readonly implicit: readonly string[];
}

/**
 * A layer that brings `tmp/x` without an entry for `tmp` says nothing about `tmp`, but an overlay shows the attributes
 * of the topmost layer that has the directory: `/tmp` would lose its 1777. Gives such directories in a fresh root the
 * attributes of the layer below that does describe them, as Docker has them. `stack` is topmost first.
 */
export function restoreImplicit(merged: string, stack: readonly StackedLayer[]): void {
  const implicit = stack.map((layer) => new Set(layer.implicit));
  for (const path of new Set(stack.flatMap((layer) => layer.implicit))) {
    const above = stack.findIndex((layer) => directoryAt(layer.directory, path) !== undefined);
    // Described by the topmost layer that has it: that is what it should be.
    if (above < 0 || !implicit[above]!.has(path)) continue;
    const below = stack.findIndex((layer, i) => i > above && !implicit[i]!.has(path) && directoryAt(layer.directory, path) !== undefined);
    const wanted = below < 0 ? undefined : directoryAt(stack[below]!.directory, path);
    if (wanted !== undefined) apply(join(merged, path), wanted);
  }
}

function apply(path: string, wanted: Stats): void {
  const shown = lstatSync(path, { throwIfNoEntry: false });
  if (shown === undefined || !shown.isDirectory()) return;
  if (shown.uid === wanted.uid && shown.gid === wanted.gid && shown.mode === wanted.mode) return;
  lchownSync(path, wanted.uid, wanted.gid);
  chmodSync(path, wanted.mode & 0o7777);
  utimesSync(path, wanted.mtime, wanted.mtime);
}

/** Looked up name by name: a symbolic link on the way would lead out of the layer. */
function directoryAt(root: string, path: string): Stats | undefined {
  let at = root;
  let found: Stats | undefined;
  for (const name of path.split("/")) {
    at = join(at, Buffer.from(name, "latin1").toString("utf8"));
    found = lstatSync(at, { throwIfNoEntry: false });
    if (found?.isDirectory() !== true) return undefined;
  }
  return found;
}
