import { Play, RotateCw, Square, Trash2, Workflow } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type ComposeProject, composeProjects, composeStatus, composeTone, runningIn } from "#renderer/core/compose.ts";
import { canStart, canStop } from "#renderer/core/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers } from "#renderer/queries.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { Middle } from "#renderer/ui/middle.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { type ContainerActions, type Target, targetOf, useContainerActions } from "#renderer/views/containers/actions.ts";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { DownProjects } from "./downprojects.tsx";

const nameOf = ({ name }: ComposeProject): string => name;
const searched = ({ folder, services }: ComposeProject): string => [folder, ...services.map(({ name }) => name)].join(" ");
export const pathOfProject = (name: string): string => `/compose/${encodeURIComponent(name)}`;

export const startable = (members: readonly ContainerSummary[]): Target[] => members.filter(({ State }) => canStart(State)).map(targetOf);
export const stoppable = (members: readonly ContainerSummary[]): Target[] => members.filter(({ State }) => canStop(State)).map(targetOf);

/** All Compose projects that have containers, whoever brought them up. */
export function ComposePage() {
  const { selections } = useApp();
  const query = useContainers();
  const actions = useContainerActions();
  const [, go] = useLocation();
  const [down, setDown] = useState<readonly string[]>([]);
  const rows = useMemo(() => (query.data === undefined ? undefined : composeProjects(query.data)), [query.data]);
  const columns = useMemo(() => columnsFor(actions), [actions]);
  const menuOf = ({ name, members }: ComposeProject): readonly MenuItem[] => [
    { label: t.containers.start, icon: Play, disabled: startable(members).length === 0, onSelect: () => void actions.run("start", startable(members)) },
    { label: t.containers.stop, icon: Square, disabled: stoppable(members).length === 0, onSelect: () => void actions.run("stop", stoppable(members)) },
    { label: t.containers.restart, icon: RotateCw, disabled: stoppable(members).length === 0, onSelect: () => void actions.run("restart", stoppable(members)) },
    { kind: "line" },
    { label: t.compose.down, icon: Trash2, danger: true, onSelect: () => setDown([name]) },
  ];
  const going = (rows ?? []).filter(({ name }) => down.includes(name));
  return (
    <>
      <ListPage
        name="compose"
        title={t.compose.title}
        icon={Workflow}
        searchLabel={t.compose.search}
        failedText={t.compose.listFailed}
        query={query}
        rows={rows}
        note={t.compose.count(rows?.length ?? 0)}
        columns={columns}
        idOf={nameOf}
        nameOf={nameOf}
        searched={searched}
        selection={selections.compose}
        onOpen={({ name }) => go(pathOfProject(name))}
        menuOf={menuOf}
        onDelete={(picked) => setDown(picked.map(nameOf))}
        defaultSort={{ column: "name", down: false }}
        actions={undefined}
        empty={{ title: t.compose.emptyTitle, text: t.compose.emptyText, command: t.compose.emptyCommand, action: undefined }}
      />
      {going.length > 0 && <DownProjects projects={going} onClose={() => setDown([])} />}
    </>
  );
}

export const MembersState = ({ members }: { readonly members: readonly ContainerSummary[] }) => (
  <span data-testid="state" data-tip={composeStatus(members)} className={cx("flex items-center gap-2 whitespace-nowrap", toneText(composeTone(members)))}>
    <StateDot tone={composeTone(members)} />
    {t.compose.state(runningIn(members), members.length)}
  </span>
);

function columnsFor(actions: ContainerActions): readonly Column<ComposeProject>[] {
  const { columns } = t.compose;
  return [
    { id: "name", header: columns.name, width: "minmax(140px, 1fr)", sortBy: nameOf, cell: ({ name }) => <NameLink href={pathOfProject(name)} name={name} /> },
    {
      id: "state",
      header: columns.state,
      width: "140px",
      sortBy: ({ members }) => runningIn(members) / members.length,
      cell: ({ members }) => <MembersState members={members} />,
    },
    {
      id: "services",
      header: columns.services,
      width: "minmax(120px, 1fr)",
      className: "max-[860px]:hidden",
      cell: ({ services }) => <span className="truncate text-fg2">{services.map(({ name }) => name).join(", ")}</span>,
    },
    {
      id: "folder",
      header: columns.folder,
      width: "minmax(120px, 1.4fr)",
      className: "max-[1000px]:hidden",
      sortBy: ({ folder }) => folder,
      cell: ({ folder }) => (
        <span className="min-w-0 font-mono text-sm text-fg2" data-tip-cut={folder}>
          {folder === "" ? "–" : <Middle text={folder} />}
        </span>
      ),
    },
    {
      id: "actions",
      header: columns.actions,
      quietHeader: true,
      width: "112px",
      alignRight: true,
      cell: ({ name, members }) => (
        <div data-controls className="flex justify-end">
          {startable(members).length > 0 && (
            <IconButton icon={Play} label={t.projects.start(name)} onClick={() => void actions.run("start", startable(members))} />
          )}
          {stoppable(members).length > 0 && (
            <IconButton icon={Square} label={t.projects.stop(name)} onClick={() => void actions.run("stop", stoppable(members))} />
          )}
          <MenuButton name={name} />
        </div>
      ),
    },
  ];
}
