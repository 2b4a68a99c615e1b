import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useTrash } from "#renderer/queries.ts";
import { deleteAll } from "#renderer/views/objects/bulkdelete.ts";
import { Deletion } from "#renderer/views/objects/deletion.tsx";

export interface DeleteVolumesProps {
  readonly names: readonly string[];
  readonly users: readonly string[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteVolumes({ names, users, onClose, onDeleted }: DeleteVolumesProps) {
  const app = useApp();
  const undoable = keeps(useTrash().data);
  const confirm = async (): Promise<void> => {
    const failures = await deleteAll(app, {
      targets: names.map((name) => ({ id: name, name })),
      remove: (name) => app.engine.volumes.remove(name),
      kind: "volume",
      key: keys.volumes,
      selection: app.selections.volumes,
      doneText: t.volumes.deleted,
      failedText: t.volumes.deleteFailed,
    });
    if (failures.length === 0) onDeleted?.();
  };
  return (
    <Deletion
      undoable={undoable}
      title={t.volumes.deleteTitle(names.length, names[0] ?? "")}
      verb={t.volumes.deleteVerb(names.length)}
      objects={names}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>{t.volumes.deleteText(names.length)}</p>
      {users.length > 0 && <p className="font-medium text-fg">{t.volumes.deleteUsed(users.join(", "))}</p>}
    </Deletion>
  );
}
