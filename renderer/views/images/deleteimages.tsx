import { useApp } from "#renderer/appcontext.ts";
import { size } from "#renderer/core/format.ts";
import type { ImageRow } from "#renderer/core/images.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useTrash } from "#renderer/queries.ts";
import { deleteAll } from "#renderer/views/objects/bulkdelete.ts";
import { Deletion } from "#renderer/views/objects/deletion.tsx";

export interface DeleteImagesProps {
  readonly rows: readonly ImageRow[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteImages({ rows, onClose, onDeleted }: DeleteImagesProps) {
  const app = useApp();
  // Of an image that stays, a name alone is in no trash.
  const undoable = keeps(useTrash().data) && rows.every((row) => row.isLast);
  const users = [...new Set(rows.flatMap((row) => row.users))];
  const bytes = [...new Map(rows.map((row) => [row.id, row.size])).values()].reduce((sum, one) => sum + one, 0);
  const confirm = async (): Promise<void> => {
    const targets = rows.map((row) => ({ id: row.key, name: row.reference }));
    const referenceOf = new Map(rows.map((row) => [row.key, row.reference]));
    const failures = await deleteAll(app, {
      targets,
      remove: (key) => app.engine.images.remove(referenceOf.get(key) ?? key, false),
      kind: "image",
      key: keys.images,
      selection: app.selections.images,
      doneText: t.images.deleted,
      failedText: t.images.deleteFailed,
    });
    if (failures.length === 0) onDeleted?.();
  };
  return (
    <Deletion
      undoable={undoable}
      title={t.images.deleteTitle(rows.length, rows[0]?.reference ?? "")}
      verb={t.images.deleteVerb(rows.length)}
      objects={rows.map((row) => row.reference)}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>{t.images.deleteText(size(bytes))}</p>
      {users.length > 0 && <p className="font-medium text-fg">{t.images.deleteUsed(users.join(", "))}</p>}
    </Deletion>
  );
}
