import type { NetworkInspect } from "#api/networks.ts";
import { useApp } from "#renderer/appcontext.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useTrash } from "#renderer/queries.ts";
import { deleteAll } from "#renderer/views/objects/bulkdelete.ts";
import { Deletion } from "#renderer/views/objects/deletion.tsx";

export interface DeleteNetworksProps {
  readonly networks: readonly NetworkInspect[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteNetworks({ networks, onClose, onDeleted }: DeleteNetworksProps) {
  const app = useApp();
  const undoable = keeps(useTrash().data);
  const confirm = async (): Promise<void> => {
    const failures = await deleteAll(app, {
      targets: networks.map(({ Id, Name }) => ({ id: Id, name: Name })),
      remove: (id) => app.engine.networks.remove(id),
      kind: "network",
      key: keys.networks,
      selection: app.selections.networks,
      doneText: t.networks.deleted,
      failedText: t.networks.deleteFailed,
    });
    if (failures.length === 0) onDeleted?.();
  };
  return (
    <Deletion
      undoable={undoable}
      title={t.networks.deleteTitle(networks.length, networks[0]?.Name ?? "")}
      verb={t.networks.deleteVerb(networks.length)}
      objects={networks.map(({ Name }) => Name)}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>{t.networks.deleteText}</p>
    </Deletion>
  );
}
