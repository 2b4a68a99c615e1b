import type { ContainerSummary } from "#api/containers.ts";
import { canStop } from "#renderer/core/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { targetOf, useContainerActions } from "./actions.ts";

export interface DeleteContainersProps {
  readonly containers: readonly ContainerSummary[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteContainers({ containers, onClose, onDeleted }: DeleteContainersProps) {
  const actions = useContainerActions();
  const targets = containers.map(targetOf);
  const running = containers.filter(({ State }) => canStop(State)).length;
  return (
    <Confirm
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
      <p>{t.containers.deleteText(targets.length)}</p>
    </Confirm>
  );
}
