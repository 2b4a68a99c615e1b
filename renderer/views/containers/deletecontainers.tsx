import type { ContainerSummary } from "#api/containers.ts";
import { canStop } from "#renderer/core/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { keeps } from "#renderer/core/trash.ts";
import { useTrash } from "#renderer/queries.ts";
import { Deletion } from "#renderer/views/objects/deletion.tsx";
import { targetOf, useContainerActions } from "./actions.ts";

export interface DeleteContainersProps {
  readonly containers: readonly ContainerSummary[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteContainers({ containers, onClose, onDeleted }: DeleteContainersProps) {
  const actions = useContainerActions();
  const kept = keeps(useTrash().data);
  const targets = containers.map(targetOf);
  const running = containers.filter(({ State }) => canStop(State)).length;
  return (
    <Deletion
      undoable={kept && running === 0}
      title={t.containers.deleteTitle(targets.length, targets[0]?.name ?? "")}
      verb={t.containers.deleteVerb(targets.length)}
      objects={targets.map(({ name }) => name).toSorted()}
      onClose={onClose}
      onConfirm={async () => {
        const failures = await actions.run("remove", targets);
        if (failures.length === 0) onDeleted?.();
      }}
    >
      {running > 0 && <p className="font-medium text-fg">{t.containers.deleteRunning(targets.length, running)}</p>}
      <p>{kept ? t.trash.goesThere : t.containers.deleteText(targets.length)}</p>
    </Deletion>
  );
}
