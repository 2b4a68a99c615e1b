import { useMemo } from "react";
import type { MachinePoint } from "#renderer/core/machinehistory.ts";
import { memory, percent, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineInfo } from "#renderer/queries.ts";
import { Panel } from "#renderer/views/containers/stats/panel.tsx";

/** The charts; loaded when there is something to draw. */
export default function MachineCharts({ points, last }: { readonly points: readonly MachinePoint[]; readonly last: MachinePoint }) {
  const info = useEngineInfo().data;
  const times = useMemo(() => points.map(({ at }) => at / 1000), [points]);
  return (
    <div className="grid grid-cols-3 gap-3 max-[1100px]:grid-cols-2 max-[860px]:grid-cols-1" data-testid="machine-figures">
      <Panel
        title={t.enginePage.cpu}
        note={info === undefined ? "" : t.enginePage.cpuNote(info.NCPU)}
        times={times}
        series={[{ name: t.enginePage.cpu, values: points.map(({ cpu }) => cpu) }]}
        format={percent}
        floor={5}
      />
      <Panel
        title={t.enginePage.memory}
        note={t.enginePage.memoryNote(memory(last.memoryTotal))}
        times={times}
        series={[{ name: t.enginePage.memory, values: points.map((point) => point.memory) }]}
        format={memory}
        binary
        floor={64 * 1024 * 1024}
        limit={{ value: last.memoryTotal, text: memory(last.memoryTotal) }}
      />
      {last.disk !== null && (
        <Panel
          title={t.enginePage.disk}
          note={t.enginePage.diskNote}
          times={times}
          series={[{ name: t.enginePage.disk, values: points.map(({ disk }) => disk) }]}
          format={size}
          floor={1_000_000}
        />
      )}
    </div>
  );
}
