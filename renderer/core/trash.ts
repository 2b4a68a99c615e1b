import type { TrashItem, TrashKind, TrashList } from "#api/trash.ts";
import type { App } from "./app.ts";
import { keys } from "./keys.ts";
import { t } from "./texts.ts";
import { toastDone, toastFailed, toastUndo } from "./toasts.ts";

export interface Deleted {
  readonly kind: TrashKind;
  readonly id: string;
  readonly name: string;
  /** It ran until then. */
  readonly ran?: boolean;
}

type Restorable = Pick<TrashItem, "Id" | "Name"> & { readonly ran?: boolean };
type Trash = Pick<App, "engine" | "queries">;

/** Whether what is deleted can be brought back. */
export const keeps = (trash: TrashList | undefined): boolean => trash !== undefined && trash.Limits.Days > 0 && trash.Limits.Bytes > 0;

/** Tells of what was deleted, with a way back where the trash has it. */
export async function toldDeleted(app: Trash, text: string, deleted: readonly Deleted[]): Promise<void> {
  const items = await itemsOf(app, deleted);
  if (items.length === 0) toastDone(text);
  else toastUndo(text, () => bringBack(app, items));
}

/** An image without a name is called by its id. */
const isNamed = (kind: TrashKind): boolean => kind === "volume" || kind === "image";

/** The last of each kind and name; an engine without a trash has none. */
async function itemsOf({ engine }: Trash, deleted: readonly Deleted[]): Promise<readonly Restorable[]> {
  if (deleted.length === 0) return [];
  try {
    const { Items } = await engine.trash.list();
    return deleted.flatMap(({ kind, id, name, ran = false }) => {
      const item = Items.find((one) => one.Kind === kind && (one.Id === id || (isNamed(kind) && (one.Name === name || one.Name === id))));
      return item === undefined ? [] : [{ ...item, ran }];
    });
  } catch {
    return [];
  }
}

/** One after the other: what one brings along the next need not. What ran runs again. */
export async function bringBack({ engine, queries }: Trash, items: readonly Restorable[]): Promise<void> {
  const back: string[] = [];
  const also = new Set<string>();
  for (const { Id, Name, ran } of items) {
    if (also.has(Id)) continue;
    try {
      const restored = await engine.trash.restore(Id);
      for (const one of restored.Also) also.add(one.Id);
      for (const warning of restored.Warnings) toastDone(warning);
      if (ran === true) await engine.containers.start(Id);
      back.push(restored.Name);
    } catch (error) {
      toastFailed(error, t.trash.restoreFailed(Name));
    }
  }
  await refresh(queries);
  if (back.length > 0) toastDone(t.trash.restored(back.length + also.size, back[0] ?? ""));
}

/** All of a Compose project at once. */
export async function bringBackProject({ engine, queries }: Trash, project: string): Promise<void> {
  try {
    const { Items, Warnings } = await engine.trash.restoreProject(project);
    for (const warning of Warnings) toastDone(warning);
    toastDone(t.trash.restored(Items.length, Items[0]?.Name ?? ""));
  } catch (error) {
    toastFailed(error, t.trash.restoreFailed(project));
  }
  await refresh(queries);
}

async function refresh(queries: Trash["queries"]): Promise<void> {
  for (const queryKey of [keys.trash, keys.containers, keys.images, keys.volumes, keys.networks, keys.diskUse]) await queries.invalidateQueries({ queryKey });
}
