import { Suspense, lazy } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";

const MachineCharts = lazy(() => import("./machinecharts.tsx"));

/** The machine's CPU, memory and disk over the last hour, as far as this window has seen them. */
export function MachineFigures() {
  const app = useApp();
  const points = useStore(app.machineHistory);
  const driver = useStore(app.machine, (view) => view.status?.driver);
  const last = points.at(-1);
  if (last !== undefined)
    return (
      <Suspense>
        <MachineCharts points={points} last={last} />
      </Suspense>
    );
  const outside = driver !== undefined && driver !== "qemu" && driver !== "wsl2";
  return <p className="rounded-lg border border-line bg-sunken px-3 py-2.5 text-fg2">{outside ? t.enginePage.noFigures : t.enginePage.waiting}</p>;
}
