import { Box, Plus, Search } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { containerMatches } from "#renderer/core/containers.ts";
import { explain } from "#renderer/core/explain.ts";
import { plainName } from "#renderer/core/format.ts";
import { arrangeProjects, isProject, type ListRow, passes, rowId, type StateFilter } from "#renderer/core/projects.ts";
import { keepOnly } from "#renderer/core/selection.ts";
import { t } from "#renderer/core/texts.ts";
import { usePref } from "#renderer/prefstate.ts";
import { useContainers, useEngineUp, useHostInfo } from "#renderer/queries.ts";
import { useSearch } from "#renderer/searchstate.ts";
import { Button } from "#renderer/ui/button.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SearchField } from "#renderer/ui/field.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { Table } from "#renderer/ui/table.tsx";
import { Segmented } from "#renderer/ui/tabs.tsx";
import { type Target, targetOf, useContainerActions } from "./actions.ts";
import { BulkBar } from "./bulkbar.tsx";
import { ListContext } from "./cells.tsx";
import { ColumnChooser, columnsFor, usualColumns } from "./columns.tsx";
import { ContextQuestion } from "./contextquestion.tsx";
import { ContainerDialog } from "./dialogs.tsx";
import { DeleteContainers } from "./deletecontainers.tsx";
import { FirstContainer } from "./firstcontainer.tsx";
import { type ContainerDialogName, containerMenu } from "./menuitems.ts";
import { projectMenu } from "./projectrow.tsx";
import { RunDialog } from "./rundialog.tsx";

const idOf = (container: ContainerSummary): string => container.Id;
const nameOf = (row: ListRow): string => (isProject(row) ? row.project : plainName(row.Names));
const selectable = (row: ListRow): boolean => !isProject(row);
const filters = (["all", "running", "stopped"] as const).map((id) => ({ id, label: t.containers.filters[id] }));

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
  const [filter, setFilter] = usePref<StateFilter>("filter.containers", "all");
  const [shown, setShown] = usePref("columns.containers", usualColumns);
  const [collapsed, setCollapsed] = usePref<readonly string[]>("collapsed.containers", []);
  const rows = useMemo(
    () => all.filter((container) => passes(filter, container) && (query === "" || containerMatches(query, container))),
    [all, query, filter],
  );
  // What was searched for must be seen.
  const arrange = useMemo(() => {
    const shut = new Set(query === "" ? collapsed : []);
    return (sorted: readonly ListRow[]) => arrangeProjects(sorted, shut);
  }, [collapsed, query]);
  const toggleProject = (name: string): void => setCollapsed(collapsed.includes(name) ? collapsed.filter((other) => other !== name) : [...collapsed, name]);

  useEffect(() => {
    if (list.data !== undefined) keepOnly(selections.containers, new Set(list.data.map(idOf)));
  }, [list.data, selections]);

  const portHost = useHostInfo().data?.portHost ?? "localhost";
  const shared = useMemo(() => ({ readAt: list.dataUpdatedAt, portHost }), [list.dataUpdatedAt, portHost]);
  const columns = useMemo(() => columnsFor(actions, shown), [actions, shown]);
  const deleteSelected = (): void => setDeleting(all.filter(({ Id }) => selections.containers.getState().ids.has(Id)));
  const menuOf = (row: ListRow): readonly MenuItem[] =>
    isProject(row)
      ? projectMenu(
          row,
          actions,
          () => toggleProject(row.project),
          () => setDeleting(row.members),
        )
      : menuOfContainer(row);
  const menuOfContainer = (container: ContainerSummary): readonly MenuItem[] =>
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
      search={
        all.length > 0 && (
          <>
            <span className="max-[860px]:hidden">
              <Segmented label={t.containers.filter} choices={filters} current={filter} onSelect={setFilter} />
            </span>
            <SearchField label={t.containers.search} value={query} onChange={setQuery} className="w-[220px] max-[860px]:w-[160px]" />
            <ColumnChooser shown={shown} onChange={setShown} />
          </>
        )
      }
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
      {all.length > 0 && rows.length === 0 && (
        <EmptyState icon={Search} title={query === "" ? t.containers.noneOfState : t.common.noMatch(query)} text={query === "" ? "" : t.common.noMatchHint}>
          {filter !== "all" && <Button onClick={() => setFilter("all")}>{t.containers.filters.all}</Button>}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <ListContext value={shared}>
          <Table<ListRow>
            name="containers"
            label={t.containers.title}
            rows={rows}
            columns={columns}
            idOf={rowId}
            nameOf={nameOf}
            selectable={selectable}
            arrange={arrange}
            selection={selections.containers}
            onOpen={(row) => (isProject(row) ? toggleProject(row.project) : go(`/containers/${row.Id}/logs`))}
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
