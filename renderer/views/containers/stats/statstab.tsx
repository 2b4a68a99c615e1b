import { Activity, Pause, Play } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { memory, percent, rate, size } from "#renderer/core/format.ts";
import { perSecond, type StatsPoint, valuesOf, withGaps } from "#renderer/core/stats.ts";
import { historyOf } from "#renderer/core/statsstore.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { Panel } from "./panel.tsx";

const shownMax = 180;

export default function StatsTab({ container }: { readonly container: ContainerInspect }) {
  const running = container.State.Running;
  const live = useLiveHistory(container.Id, running);
  const [frozen, setFrozen] = useState<readonly StatsPoint[]>();
  const points = useMemo(() => (frozen ?? live).slice(-shownMax), [frozen, live]);
  if (!running) return <EmptyState icon={Activity} title={t.stats.stoppedTitle} text={t.stats.stoppedText} />;
  const last = points.at(-1);
  if (last === undefined) {
    return (
      <div role="status" className="flex flex-1 items-center justify-center gap-2 text-fg3">
        <Spinner /> {t.stats.waiting}
      </div>
    );
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto p-4" data-testid="stats" data-points={points.length}>
      <div className="mb-3 flex items-center gap-3">
        <p className="tabular text-sm text-fg3">{last.processes > 0 && t.stats.processes(last.processes)}</p>
        <Button small icon={frozen === undefined ? Pause : Play} className="ml-auto" onClick={() => setFrozen(frozen === undefined ? live : undefined)}>
          {frozen === undefined ? t.stats.pause : t.stats.resume}
        </Button>
      </div>
      <Charts points={points} last={last} cpus={(container.HostConfig.NanoCpus ?? 0) / 1e9} />
    </div>
  );
}

function useLiveHistory(id: string, running: boolean): readonly StatsPoint[] {
  const { stats } = useApp();
  useEffect(() => {
    if (!running) return;
    const watch = stats.watch(id);
    return () => watch[Symbol.dispose]();
  }, [stats, id, running]);
  return useStore(stats.history, (state) => historyOf(state, id));
}

function Charts({ points, last, cpus }: { readonly points: readonly StatsPoint[]; readonly last: StatsPoint; readonly cpus: number }) {
  const spaced = useMemo(() => withGaps(points), [points]);
  const times = useMemo(() => spaced.map(({ at }) => at / 1000), [spaced]);
  const received = perSecond(spaced, "received");
  const sent = perSecond(spaced, "sent");
  const read = perSecond(spaced, "read");
  const written = perSecond(spaced, "written");
  return (
    <div className="grid grid-cols-2 gap-3 max-[900px]:grid-cols-1">
      <Panel
        title={t.stats.cpu}
        times={times}
        series={[{ name: t.stats.cpu, values: valuesOf(spaced, "cpu") }]}
        format={percent}
        floor={5}
        limit={cpus > 0 ? { value: cpus * 100, text: t.stats.limit(percent(cpus * 100)) } : undefined}
        note={cpus > 0 ? t.stats.limit(percent(cpus * 100)) : t.stats.noLimit}
      />
      <Panel
        title={t.stats.memory}
        times={times}
        series={[{ name: t.stats.memory, values: valuesOf(spaced, "memory") }]}
        format={memory}
        binary
        floor={1024 * 1024}
        limit={last.memoryLimit > 0 ? { value: last.memoryLimit, text: t.stats.limit(memory(last.memoryLimit)) } : undefined}
        note={last.memory === null ? t.stats.unknown : last.memoryLimit > 0 ? t.stats.limit(memory(last.memoryLimit)) : t.stats.noLimit}
      />
      <Panel
        title={t.stats.network}
        times={times}
        series={[
          { name: t.stats.received, values: received },
          { name: t.stats.sent, values: sent },
        ]}
        format={rate}
        floor={1000}
        note={`${t.stats.received} ${size(last.received)} · ${t.stats.sent} ${size(last.sent)}`}
      />
      <Panel
        title={t.stats.blockIo}
        times={times}
        series={[
          { name: t.stats.read, values: read },
          { name: t.stats.written, values: written },
        ]}
        format={rate}
        floor={1000}
        note={`${t.stats.read} ${size(last.read)} · ${t.stats.written} ${size(last.written)}`}
      />
    </div>
  );
}
