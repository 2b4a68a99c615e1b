import { FolderOpen, Trash2, Workflow } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type ComposeProject, composeProjects, composeStatus } from "#renderer/core/compose.ts";
import { runningIn, toneOf } from "#renderer/core/projects.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { Middle } from "#renderer/ui/middle.tsx";
import { NameLink } from "#renderer/ui/namelink.tsx";
import { StateDot, toneText } from "#renderer/ui/statedot.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { type ContainerActions, useContainerActions } from "#renderer/views/containers/actions.ts";
import { MembersButtons, membersMenu } from "#renderer/views/containers/members.tsx";
import { useComposesHere } from "#renderer/views/engines/useengines.ts";
import { ListPage } from "#renderer/views/objects/listpage.tsx";
import { DownProjects } from "./downprojects.tsx";
import { OpenDialog } from "./opendialog.tsx";

const nameOf = ({ name }: ComposeProject): string => name;
const searched = ({ folder, services }: ComposeProject): string => [folder, ...services.map(({ name }) => name)].join(" ");
export const pathOfProject = (name: string): string => `/compose/${encodeURIComponent(name)}`;

/** All Compose projects that have containers, whoever brought them up. */
export function ComposePage() {
  const { selections } = useApp();
  const query = useContainers();
  const actions = useContainerActions();
  const [, go] = useLocation();
  const [down, setDown] = useState<readonly string[]>([]);
  const [opening, setOpening] = useState(false);
  const composesHere = useComposesHere();
  const open = !composesHere ? null : (
    <Button variant="primary" icon={FolderOpen} onClick={() => setOpening(true)} data-testid="compose-open-button">
      {t.compose.open}
    </Button>
  );
  const rows = useMemo(() => (query.data === undefined ? undefined : composeProjects(query.data)), [query.data]);
  const columns = useMemo(() => columnsFor(actions), [actions]);
  const menuOf = ({ name, members }: ComposeProject): readonly MenuItem[] => [
    ...membersMenu(members, actions),
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
        actions={open}
        empty={{ title: t.compose.emptyTitle, text: t.compose.emptyText, command: t.compose.emptyCommand, action: open }}
      />
      {opening && <OpenDialog onClose={() => setOpening(false)} />}
      {going.length > 0 && <DownProjects projects={going} onClose={() => setDown([])} />}
    </>
  );
}

export const MembersState = ({ members }: { readonly members: readonly ContainerSummary[] }) => (
  <span data-testid="state" data-tip={composeStatus(members)} className={cx("flex items-center gap-2 whitespace-nowrap", toneText(toneOf(members)))}>
    <StateDot tone={toneOf(members)} />
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
      cell: ({ name, members }) => <MembersButtons project={name} members={members} actions={actions} />,
    },
  ];
}
