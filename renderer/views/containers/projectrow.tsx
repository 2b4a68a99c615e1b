import { ChevronDown, ChevronRight, Play, RotateCw, Square, Trash2 } from "lucide-react";
import type { ContainerSummary } from "#api/containers.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { type ProjectRow, runningOf } from "#renderer/core/projects.ts";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import { type ContainerActions, targetOf } from "./actions.ts";

const toneOf = (row: ProjectRow) => (runningOf(row) === row.members.length ? "running" : runningOf(row) === 0 ? "idle" : "paused");

export function ProjectName({ row }: { readonly row: ProjectRow }) {
  const Chevron = row.collapsed ? ChevronRight : ChevronDown;
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <Chevron size={14} aria-hidden className="shrink-0 text-fg3" />
      <span className="flex min-w-0 flex-col">
        <span className="truncate font-semibold">{row.project}</span>
        <span className="truncate text-sm text-fg3">
          {t.projects.note(row.members.length)}
          {row.collapsed && <span className="sr-only">, {t.projects.hidden}</span>}
        </span>
      </span>
    </span>
  );
}

export function ProjectState({ row }: { readonly row: ProjectRow }) {
  const tone = toneOf(row);
  return (
    <span data-testid="state" className={cx("flex items-center gap-1.5", toneText(tone))}>
      <StateDot tone={tone} />
      {t.projects.running(runningOf(row), row.members.length)}
    </span>
  );
}

const startable = (members: readonly ContainerSummary[]) => members.filter(({ State }) => canStart(State)).map(targetOf);
const stoppable = (members: readonly ContainerSummary[]) => members.filter(({ State }) => canStop(State)).map(targetOf);

export function ProjectButtons({ row, actions }: { readonly row: ProjectRow; readonly actions: ContainerActions }) {
  const [toStart, toStop] = [startable(row.members), stoppable(row.members)];
  return (
    <div data-controls className="flex justify-end">
      {toStart.length > 0 && <IconButton icon={Play} label={t.projects.start(row.project)} onClick={() => void actions.run("start", toStart)} />}
      {toStop.length > 0 && <IconButton icon={Square} label={t.projects.stop(row.project)} onClick={() => void actions.run("stop", toStop)} />}
      <MenuButton name={row.project} />
    </div>
  );
}

export function projectMenu(row: ProjectRow, actions: ContainerActions, toggle: () => void, onDelete: () => void): readonly MenuItem[] {
  const [toStart, toStop] = [startable(row.members), stoppable(row.members)];
  return [
    { label: row.collapsed ? t.projects.expand : t.projects.collapse, onSelect: toggle },
    { kind: "line" },
    { label: t.containers.start, icon: Play, disabled: toStart.length === 0, onSelect: () => void actions.run("start", toStart) },
    { label: t.containers.stop, icon: Square, disabled: toStop.length === 0, onSelect: () => void actions.run("stop", toStop) },
    { label: t.containers.restart, icon: RotateCw, disabled: toStop.length === 0, onSelect: () => void actions.run("restart", toStop) },
    { kind: "line" },
    { label: t.containers.deleteDots, icon: Trash2, danger: true, onSelect: onDelete },
  ];
}
