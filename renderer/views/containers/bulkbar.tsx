import { Play, RotateCw, Square, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ActFailure, ActName } from "#renderer/core/acts.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { explain } from "#renderer/core/explain.ts";
import { clearSelection } from "#renderer/core/selection.ts";
import { t } from "#renderer/core/texts.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { SelectionBar } from "#renderer/ui/selectionbar.tsx";
import { type ContainerActions, targetOf } from "./actions.ts";

export interface BulkBarProps {
  readonly containers: readonly ContainerSummary[];
  readonly actions: ContainerActions;
  readonly onDelete: () => void;
}

/** Acts on all selected rows. What succeeds leaves the selection; what fails stays selected and is listed with its reason. */
export function BulkBar({ containers, actions, onDelete }: BulkBarProps) {
  const { selections } = useApp();
  const ids = useStore(selections.containers, (state) => state.ids);
  const [result, setResult] = useState<{ readonly failures: readonly ActFailure[]; readonly all: number }>();
  const selected = containers.filter(({ Id }) => ids.has(Id));
  const startable = selected.filter(({ State }) => canStart(State));
  const stoppable = selected.filter(({ State }) => canStop(State));

  const run = async (act: ActName, targets: readonly ContainerSummary[]): Promise<void> => {
    setResult(undefined);
    const failures = await actions.run(act, targets.map(targetOf), false);
    selections.containers.setState({ ids: new Set(failures.length === 0 ? ids : failures.map(({ id }) => id)) });
    if (failures.length > 0) setResult({ failures, all: targets.length });
  };
  if (selected.length === 0) return null;
  return (
    <SelectionBar count={selected.length} onClear={() => clearSelection(selections.containers)}>
      {result !== undefined && (
        <div role="alert" data-testid="bulk-failures" className="mb-1 w-full border-b border-line pb-2">
          <div className="flex items-center justify-between gap-2">
            <p className="font-medium">{t.containers.bulkFailed(result.failures.length, result.all)}</p>
            <IconButton icon={X} label={t.common.close} onClick={() => setResult(undefined)} />
          </div>
          <ul className="max-h-32 overflow-y-auto text-sm">
            {result.failures.map(({ id, name, act, error }) => (
              <li key={id} className="selectable">
                <span className="font-medium">{t.containers.failed[act](name)}:</span> <span className="text-fg2">{explain(error, "").reason}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Button small icon={Play} disabled={startable.length === 0} onClick={() => void run("start", startable)}>
        {t.containers.start}
      </Button>
      <Button small icon={Square} disabled={stoppable.length === 0} onClick={() => void run("stop", stoppable)}>
        {t.containers.stop}
      </Button>
      <Button small icon={RotateCw} disabled={stoppable.length === 0} onClick={() => void run("restart", stoppable)}>
        {t.containers.restart}
      </Button>
      <Button small icon={Trash2} className="text-danger-text" onClick={onDelete}>
        {t.containers.deleteDots}
      </Button>
    </SelectionBar>
  );
}
