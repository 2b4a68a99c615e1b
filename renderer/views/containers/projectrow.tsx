import { ChevronDown, ChevronRight, Trash2 } from "lucide-react";
import { type ProjectRow, runningIn, toneOf } from "#renderer/core/projects.ts";
import { t } from "#renderer/core/texts.ts";
import { cx } from "#renderer/ui/cx.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import type { ContainerActions } from "./actions.ts";
import { membersMenu } from "./members.tsx";

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
  const tone = toneOf(row.members);
  return (
    <span data-testid="state" className={cx("flex items-center gap-1.5", toneText(tone))}>
      <StateDot tone={tone} />
      {t.projects.running(runningIn(row.members), row.members.length)}
    </span>
  );
}

export function projectMenu(row: ProjectRow, actions: ContainerActions, toggle: () => void, onDelete: () => void): readonly MenuItem[] {
  return [
    { label: row.collapsed ? t.projects.expand : t.projects.collapse, onSelect: toggle },
    { kind: "line" },
    ...membersMenu(row.members, actions),
    { kind: "line" },
    { label: t.containers.deleteDots, icon: Trash2, danger: true, onSelect: onDelete },
  ];
}
