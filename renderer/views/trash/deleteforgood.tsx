import type { TrashItem } from "#api/trash.ts";
import { useApp } from "#renderer/appcontext.ts";
import { size } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastDone, toastFailed } from "#renderer/core/toasts.ts";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { deleteAll } from "#renderer/views/objects/bulkdelete.ts";

export function DeleteForGood({ items, onClose }: { readonly items: readonly TrashItem[]; readonly onClose: () => void }) {
  const app = useApp();
  const bytes = items.reduce((sum, { Bytes }) => sum + Bytes, 0);
  const confirm = (): Promise<unknown> =>
    deleteAll(app, {
      targets: items.map(({ Id, Name }) => ({ id: Id, name: Name })),
      remove: (id) => app.engine.trash.remove(id),
      key: keys.trash,
      selection: app.selections.trash,
      doneText: t.trash.removed,
      failedText: t.trash.removeFailed,
    });
  return (
    <Confirm
      title={t.trash.removeTitle(items.length, items[0]?.Name ?? "")}
      verb={t.trash.removeVerb(items.length)}
      objects={items.map(({ Name }) => Name)}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>{t.trash.removeText(size(bytes))}</p>
    </Confirm>
  );
}

export function EmptyTrash({ bytes, onClose }: { readonly bytes: number; readonly onClose: () => void }) {
  const { engine, queries } = useApp();
  const confirm = async (): Promise<void> => {
    try {
      const { Items, Bytes } = await engine.trash.empty();
      toastDone(t.trash.emptied(Items, size(Bytes)));
    } catch (error) {
      toastFailed(error, t.trash.emptyFailed);
    }
    await queries.invalidateQueries({ queryKey: keys.trash });
  };
  return (
    <Confirm title={t.trash.emptyTitle} verb={t.trash.emptyVerb} onClose={onClose} onConfirm={confirm}>
      <p>{t.trash.removeText(size(bytes))}</p>
    </Confirm>
  );
}
