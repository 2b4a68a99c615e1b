import type { UseQueryResult } from "@tanstack/react-query";
import { type LucideIcon, Search, Trash2 } from "lucide-react";
import { type ReactNode, useEffect, useMemo } from "react";
import { useStore } from "zustand";
import { matches } from "#renderer/core/containers.ts";
import { explain } from "#renderer/core/explain.ts";
import { clearSelection, keepOnly, type SelectionStore } from "#renderer/core/selection.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineUp } from "#renderer/queries.ts";
import { useSearch } from "#renderer/searchstate.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Command } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SearchField } from "#renderer/ui/field.tsx";
import type { MenuItem } from "#renderer/ui/menu.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { Reading } from "#renderer/ui/reading.tsx";
import { SelectionBar } from "#renderer/ui/selectionbar.tsx";
import { Table } from "#renderer/ui/table.tsx";
import type { Column } from "#renderer/ui/tablerow.tsx";

export interface ListPageProps<Row> {
  readonly name: string;
  readonly title: string;
  readonly icon: LucideIcon;
  readonly searchLabel: string;
  readonly failedText: string;
  readonly query: UseQueryResult<unknown>;
  readonly rows: readonly Row[] | undefined;
  readonly note: string;
  readonly columns: readonly Column<Row>[];
  readonly idOf: (row: Row) => string;
  readonly nameOf: (row: Row) => string;
  /** Further text that the search looks at. */
  readonly searched: (row: Row) => string;
  readonly selection: SelectionStore;
  readonly selectable?: (row: Row) => boolean;
  readonly onOpen: (row: Row) => void;
  readonly menuOf: (row: Row) => readonly MenuItem[];
  readonly onDelete: (rows: readonly Row[]) => void;
  readonly actions: ReactNode;
  readonly empty: { readonly title: string; readonly text: string; readonly command: string; readonly action: ReactNode };
  readonly defaultSort: { readonly column: string; readonly down: boolean };
  readonly children?: ReactNode;
}

/** A list of images, volumes or networks: search, table, what to do with the selected, and what to do without any. */
export function ListPage<Row>(props: ListPageProps<Row>) {
  const { name, title, icon, query, rows, columns, idOf, nameOf, searched, selection, empty } = props;
  const [text, setText] = useSearch(name);
  const up = useEngineUp();
  const shown = useMemo(() => (rows ?? []).filter((row) => matches(text, nameOf(row), searched(row))), [rows, text, nameOf, searched]);
  const selected = useStore(selection, (state) => state.ids);
  const picked = (rows ?? []).filter((row) => selected.has(idOf(row)));

  useEffect(() => {
    if (rows !== undefined) keepOnly(selection, new Set(rows.map(idOf)));
  }, [rows, selection, idOf]);

  const any = rows !== undefined && rows.length > 0;
  return (
    <Page
      title={title}
      note={rows === undefined || rows.length === 0 ? undefined : props.note}
      search={any && <SearchField label={props.searchLabel} value={text} onChange={setText} className="w-[220px]" />}
      actions={props.actions}
    >
      {query.error !== null && up && (
        <div className="p-4">
          <ErrorNotice explanation={explain(query.error, props.failedText)}>
            <Button small onClick={() => void query.refetch()}>
              {t.common.retry}
            </Button>
          </ErrorNotice>
        </div>
      )}
      {props.children}
      {rows !== undefined && rows.length === 0 && (
        <EmptyState icon={icon} title={empty.title} text={empty.text}>
          {empty.action}
          <Command text={empty.command} />
        </EmptyState>
      )}
      {rows === undefined && query.error === null && up && <Reading />}
      {rows === undefined && query.error === null && !up && <EmptyState icon={icon} title={title} text={t.engine.unread} />}
      {any && shown.length === 0 && <EmptyState icon={Search} title={t.common.noMatch(text)} text={t.common.noMatchHint} />}
      {shown.length > 0 && (
        <Table
          name={name}
          label={title}
          rows={shown}
          columns={columns}
          idOf={idOf}
          nameOf={nameOf}
          selection={selection}
          {...(props.selectable !== undefined && { selectable: props.selectable })}
          onOpen={props.onOpen}
          menuOf={props.menuOf}
          onDelete={() => props.onDelete(picked)}
          rowHeight={40}
          defaultSort={props.defaultSort}
          stale={!up}
        />
      )}
      {picked.length > 0 && (
        <SelectionBar count={picked.length} onClear={() => clearSelection(selection)}>
          <Button small icon={Trash2} className="text-danger-text" onClick={() => props.onDelete(picked)}>
            {t.containers.deleteDots}
          </Button>
        </SelectionBar>
      )}
    </Page>
  );
}
