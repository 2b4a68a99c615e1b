import { Play, RotateCw, Square } from "lucide-react";
import type { ContainerSummary } from "#api/containers.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { type ContainerActions, type Target, targetOf } from "./actions.ts";

// What is done with a project's containers at once, the same in the list of containers and on the Compose pages.

export const startable = (members: readonly ContainerSummary[]): Target[] => members.filter(({ State }) => canStart(State)).map(targetOf);
export const stoppable = (members: readonly ContainerSummary[]): Target[] => members.filter(({ State }) => canStop(State)).map(targetOf);

export interface MembersProps {
  readonly project: string;
  readonly members: readonly ContainerSummary[];
  readonly actions: ContainerActions;
}

export function MembersButtons({ project, members, actions }: MembersProps) {
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return (
    <div data-controls className="flex justify-end">
      {toStart.length > 0 && <IconButton icon={Play} label={t.projects.start(project)} onClick={() => void actions.run("start", toStart)} />}
      {toStop.length > 0 && <IconButton icon={Square} label={t.projects.stop(project)} onClick={() => void actions.run("stop", toStop)} />}
      <MenuButton name={project} />
    </div>
  );
}

export function membersMenu(members: readonly ContainerSummary[], actions: ContainerActions): readonly MenuItem[] {
  const [toStart, toStop] = [startable(members), stoppable(members)];
  return [
    { label: t.containers.start, icon: Play, disabled: toStart.length === 0, onSelect: () => void actions.run("start", toStart) },
    { label: t.containers.stop, icon: Square, disabled: toStop.length === 0, onSelect: () => void actions.run("stop", toStop) },
    { label: t.containers.restart, icon: RotateCw, disabled: toStop.length === 0, onSelect: () => void actions.run("restart", toStop) },
  ];
}
