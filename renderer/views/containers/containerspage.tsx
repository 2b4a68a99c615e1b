import { Box, Play, Plus, RotateCw, Search, Square } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { canStart, canStop, containerMatches } from "#renderer/core/containers.ts";
import { explain } from "#renderer/core/explain.ts";
import { plainName } from "#renderer/core/format.ts";
import { keepOnly } from "#renderer/core/selection.ts";
import { t } from "#renderer/core/texts.ts";
import { useContainers, useEngineUp, useHostInfo } from "#renderer/queries.ts";
import { useSearch } from "#renderer/searchstate.ts";
import { Button, IconButton } from "#renderer/ui/button.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SearchField } from "#renderer/ui/field.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { MenuButton } from "#renderer/ui/menubutton.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { Table } from "#renderer/ui/table.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";
import { type ContainerActions, type Target, targetOf, useContainerActions } from "./actions.ts";
import { BulkBar } from "./bulkbar.tsx";
import { CpuCell, ListContext, MemoryCell, NameCell, PortsCell, StateCell, usePending } from "./cells.tsx";
import { ContextQuestion } from "./contextquestion.tsx";
import { ContainerDialog } from "./dialogs.tsx";
import { DeleteContainers } from "./deletecontainers.tsx";
import { FirstContainer } from "./firstcontainer.tsx";
import { type ContainerDialogName, containerMenu } from "./menuitems.ts";
import { RunDialog } from "./rundialog.tsx";

const idOf = (container: ContainerSummary): string => container.Id;
const nameOf = (container: ContainerSummary): string => plainName(container.Names);
const stateOrder = ["running", "restarting", "paused", "removing", "created", "exited", "dead"];

export function ContainersPage() {
  const app = useApp();
  const { selections } = app;
  const list = useContainers();
  const up = useEngineUp();
  const actions = useContainerActions();
  const [, go] = useLocation();
  const [query, setQuery] = useSearch("containers");
  const [running, setRunning] = useState<{ readonly image: string }>();
  const [deleting, setDeleting] = useState<readonly ContainerSummary[]>();
  const [asking, setAsking] = useState<{ readonly name: ContainerDialogName; readonly target: Target }>();
  const all = useMemo(() => list.data ?? [], [list.data]);
  const rows = useMemo(() => (query === "" ? all : all.filter((container) => containerMatches(query, container))), [all, query]);

  useEffect(() => {
    if (list.data !== undefined) keepOnly(selections.containers, new Set(list.data.map(idOf)));
  }, [list.data, selections]);

  const portHost = useHostInfo().data?.portHost ?? "localhost";
  const shared = useMemo(() => ({ readAt: list.dataUpdatedAt, portHost }), [list.dataUpdatedAt, portHost]);
  const columns = useMemo(() => columnsFor(actions), [actions]);
  const deleteSelected = (): void => setDeleting(all.filter(({ Id }) => selections.containers.getState().ids.has(Id)));
  const menuOf = (container: ContainerSummary): readonly MenuItem[] =>
    containerMenu(targetOf(container), container.State, {
      app,
      actions,
      go,
      ask: (name) => setAsking({ name, target: targetOf(container) }),
      onDelete: () => setDeleting([container]),
    });

  return (
    <Page
      title={t.containers.title}
      note={all.length === 0 ? undefined : t.containers.count(all.length, all.filter(({ State }) => State === "running").length)}
      search={all.length > 0 && <SearchField label={t.containers.search} value={query} onChange={setQuery} className="w-[220px]" />}
      actions={
        <Button variant="primary" icon={Plus} disabled={!up} onClick={() => setRunning({ image: "" })} data-testid="run">
          {t.containers.run}
        </Button>
      }
    >
      <ContextQuestion />
      {list.error !== null && up && (
        <div className="p-4">
          <ErrorNotice explanation={explain(list.error, t.containers.listFailed)}>
            <Button small onClick={() => void list.refetch()}>
              {t.common.retry}
            </Button>
          </ErrorNotice>
        </div>
      )}
      {list.data !== undefined && all.length === 0 && <FirstContainer onOther={(image) => setRunning({ image })} />}
      {all.length > 0 && rows.length === 0 && <EmptyState icon={Search} title={t.common.noMatch(query)} text={t.common.noMatchHint} />}
      {rows.length > 0 && (
        <ListContext value={shared}>
          <Table
            name="containers"
            label={t.containers.title}
            rows={rows}
            columns={columns}
            idOf={idOf}
            nameOf={nameOf}
            selection={selections.containers}
            onOpen={(container) => go(`/containers/${container.Id}/logs`)}
            menuOf={menuOf}
            onDelete={deleteSelected}
            defaultSort={{ column: "state", down: false }}
            stale={!up}
          />
        </ListContext>
      )}
      <BulkBar containers={all} actions={actions} onDelete={deleteSelected} />
      {running !== undefined && <RunDialog image={running.image} onClose={() => setRunning(undefined)} />}
      {asking !== undefined && <ContainerDialog {...asking} onClose={() => setAsking(undefined)} />}
      {deleting !== undefined && <DeleteContainers containers={deleting} onClose={() => setDeleting(undefined)} />}
      {list.data === undefined && list.error === null && up && <Reading />}
      {list.data === undefined && list.error === null && !up && <EmptyState icon={Box} title={t.containers.title} text={t.engine.unread} />}
    </Page>
  );
}

function columnsFor(actions: ContainerActions): readonly Column<ContainerSummary>[] {
  const { columns } = t.containers;
  return [
    { id: "name", header: columns.name, width: "minmax(104px, 1fr)", sortBy: nameOf, cell: (container) => <NameCell container={container} /> },
    {
      id: "state",
      header: columns.state,
      width: "minmax(var(--state-column), 0.5fr)",
      sortBy: (container) => `${stateOrder.indexOf(container.State)} ${nameOf(container)}`,
      cell: (container) => <StateCell container={container} />,
    },
    {
      id: "ports",
      header: columns.ports,
      width: "minmax(var(--ports-column), 0.4fr)",
      sortBy: (container) => Math.min(...container.Ports.map(({ PublicPort }) => PublicPort ?? 65_536), 65_537),
      cell: (container) => <PortsCell container={container} />,
    },
    {
      id: "cpu",
      header: columns.cpu,
      width: "var(--cpu-column)",
      alignRight: true,
      className: "max-[720px]:hidden",
      cell: (container) => <CpuCell container={container} />,
    },
    {
      id: "memory",
      header: columns.memory,
      width: "var(--memory-column)",
      alignRight: true,
      className: "max-[720px]:hidden",
      cell: (container) => <MemoryCell container={container} />,
    },
    {
      id: "actions",
      header: columns.actions,
      quietHeader: true,
      width: "104px",
      alignRight: true,
      cell: (container) => <RowActions container={container} actions={actions} />,
    },
  ];
}

function RowActions({ container, actions }: { readonly container: ContainerSummary; readonly actions: ContainerActions }) {
  const pending = usePending(container.Id) !== undefined;
  const targets: readonly Target[] = [targetOf(container)];
  return (
    <div data-controls className="flex justify-end">
      {canStop(container.State) ? (
        <>
          <IconButton icon={RotateCw} label={t.containers.restart} disabled={pending} onClick={() => void actions.run("restart", targets)} />
          <IconButton icon={Square} label={t.containers.stop} disabled={pending} onClick={() => void actions.run("stop", targets)} />
        </>
      ) : (
        <IconButton
          icon={Play}
          label={t.containers.start}
          disabled={pending || !canStart(container.State)}
          onClick={() => void actions.run("start", targets)}
        />
      )}
      <MenuButton name={nameOf(container)} />
    </div>
  );
}
