import { useQuery } from "@tanstack/react-query";
import { Activity } from "lucide-react";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { explain } from "#renderer/core/explain.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SimpleTable } from "#renderer/ui/simpletable.tsx";

/** Processes start and end without an event: they are asked for while somebody looks, and not in a hidden window. */
const everyMs = 2_000;

export function ProcessesTab({ container }: { readonly container: ContainerInspect }) {
  const { engine } = useApp();
  const alive = container.State.Running;
  const up = useEngineUp();
  const { data, error } = useQuery({
    queryKey: keys.processes(container.Id),
    queryFn: () => engine.containers.top(container.Id),
    enabled: alive && up,
    refetchInterval: everyMs,
    refetchIntervalInBackground: false,
    staleTime: 0,
    retry: false,
  });
  if (!alive) return <EmptyState icon={Activity} title={t.processes.stoppedTitle} text={t.processes.stoppedText} />;
  if (error !== null && data === undefined) {
    return (
      <div className="p-4">
        <ErrorNotice explanation={explain(error, t.processes.failed)} />
      </div>
    );
  }
  const rows = data?.Processes ?? [];
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4" data-testid="processes">
      <SimpleTable label={t.processes.label} head={data?.Titles ?? []} rows={rows.map((cells) => ({ key: cells[0] ?? "", cells }))} mono />
      <p className="mt-3 text-sm text-fg3">{t.processes.every}</p>
    </div>
  );
}
