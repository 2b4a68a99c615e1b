import { familiarName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { KeptItem } from "./keeper.ts";

/** What is meant by an id, a name (the last removed under it), any reference of an image, or the beginning of one id. `items`: oldest first. */
export function findKept(items: ReadonlyMap<string, KeptItem>, reference: string): KeptItem {
  const all = [...items.values()];
  const exact = items.get(reference) ?? all.findLast(({ name }) => name === reference) ?? imageAmong(all, reference);
  if (exact !== undefined) return exact;
  const [found, ...more] = reference === "" ? [] : all.filter(({ id }) => id.startsWith(reference));
  if (found === undefined) throw notThere(reference);
  if (more.length > 0) throw new EngineError("invalidArgument", `${reference} is the beginning of ${more.length + 1} ids in the trash`);
  return found;
}

export const notThere = (reference: string): EngineError => new EngineError("notFound", `No such thing in the trash: ${reference}`);

function imageAmong(all: readonly KeptItem[], reference: string): KeptItem | undefined {
  const name = fullName(reference);
  return name === undefined ? undefined : all.findLast((item) => item.kind === "image" && item.name === name);
}

function fullName(reference: string): string | undefined {
  try {
    return familiarName(withDefaultTag(parseReference(reference)));
  } catch {
    return undefined; // The beginning of an id, perhaps.
  }
}
