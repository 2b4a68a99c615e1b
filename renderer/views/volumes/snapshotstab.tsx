import { useQuery } from "@tanstack/react-query";
import { GitFork, Trash2 } from "lucide-react";
import { useState } from "react";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { exactTime } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { Confirm } from "#renderer/ui/confirm.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";
import { ForkDialog } from "./volumeacts.tsx";

/** What a volume has kept of itself. */
export function SnapshotsTab({ name }: { readonly name: string }) {
  const { engine, queries } = useApp();
  const [forking, setForking] = useState<string>();
  const [removing, setRemoving] = useState<string>();
  const { data, error } = useQuery({
    queryKey: keys.snapshots(name),
    queryFn: () => engine.volumes.snapshots(name),
    enabled: useEngineUp(),
    staleTime: 0,
    retry: false,
  });
  const remove = async (snapshot: string): Promise<void> => {
    await engine.volumes.removeSnapshot(name, snapshot).catch((failure: unknown) => toastFailed(failure, t.volumes.snapshotRemoveFailed(snapshot)));
    await queries.invalidateQueries({ queryKey: keys.snapshots(name) });
  };
  const columns = t.volumes.snapshotColumns;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto p-5" data-testid="snapshots">
      {error !== null && <ErrorNotice explanation={explain(error, t.volumes.snapshots)} />}
      {error === null && data === undefined && <Reading />}
      {data?.length === 0 && <p className="max-w-[60ch] text-fg2">{t.volumes.noSnapshots}</p>}
      {data !== undefined && data.length > 0 && (
        <SimpleTable
          label={t.volumes.snapshots}
          head={[columns.name, columns.created, columns.actions]}
          rows={data.map(({ Name, CreatedAt }) => ({
            key: Name,
            cells: [
              <span key="name" className="font-mono text-sm">
                {Name}
              </span>,
              exactTime(Date.parse(CreatedAt) / 1000),
              <span key="acts" className="flex">
                <IconButton icon={GitFork} label={t.volumes.forkOf(Name)} onClick={() => setForking(Name)} />
                <IconButton icon={Trash2} danger label={t.volumes.snapshotRemove(Name)} onClick={() => setRemoving(Name)} />
              </span>,
            ],
          }))}
        />
      )}
      {forking !== undefined && <ForkDialog name={name} snapshot={forking} onClose={() => setForking(undefined)} />}
      {removing !== undefined && (
        <Confirm
          title={t.volumes.snapshotRemoveTitle(removing)}
          verb={t.volumes.snapshotRemove(removing)}
          onClose={() => setRemoving(undefined)}
          onConfirm={() => remove(removing)}
        >
          <p>{t.volumes.snapshotRemoveText}</p>
        </Confirm>
      )}
    </div>
  );
}
