import { ArrowDown, ArrowUp } from "lucide-react";
import { type MouseEvent, memo, type ReactNode } from "react";
import { t } from "#renderer/core/texts.ts";
import { cx } from "./cx.ts";
import { Checkbox } from "./field.tsx";
import { RowTab } from "./rowtab.ts";
import type { SortOrder } from "./tablestate.ts";

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** A CSS grid track: `minmax(0, 2fr)`, `96px`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly sortBy?: (row: Row) => string | number;
  readonly alignRight?: boolean;
  /** The header is for readers only: what the column holds is plain to see. */
  readonly quietHeader?: boolean;
  /** On header and cells: for a column that a narrow window leaves out. */
  readonly className?: string;
}

export function HeaderCell<Row>({ column, sort, onSort }: { readonly column: Column<Row>; readonly sort: SortOrder; readonly onSort: () => void }) {
  const sorted = sort.column === column.id;
  const Arrow = sort.down ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={column.sortBy === undefined ? undefined : sorted ? (sort.down ? "descending" : "ascending") : "none"}
      className={cx("flex min-w-0 px-2", column.alignRight === true && "justify-end", column.className)}
    >
      {column.sortBy === undefined ? (
        <span className={column.quietHeader === true ? "sr-only" : "truncate text-xs font-medium text-fg3"}>{column.header}</span>
      ) : (
        <button
          type="button"
          onClick={onSort}
          className={cx("flex min-w-0 items-center gap-1 rounded-sm text-xs font-medium hover:text-fg", sorted ? "text-fg" : "text-fg3")}
        >
          <span className="truncate">{column.header}</span>
          {sorted && <Arrow size={11} aria-hidden />}
        </button>
      )}
    </div>
  );
}

interface RowProps {
  readonly id: string;
  readonly elementId: string;
  readonly name: string;
  readonly row: unknown;
  readonly columns: readonly Column<unknown>[];
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly template: string;
  readonly selected: boolean;
  readonly selectable: boolean;
  readonly active: boolean;
  readonly menuOpen: boolean;
  readonly onFocus: () => void;
  readonly onCheck: (event: MouseEvent) => void;
  readonly onOpen: () => void;
  readonly onMenu: (x: number, y: number) => void;
}

const drawnAlike = (a: RowProps, b: RowProps): boolean =>
  (["id", "elementId", "row", "columns", "index", "top", "template", "selected", "selectable", "active", "menuOpen"] as const).every(
    (key) => a[key] === b[key],
  );

/** One row, drawn again only when what it shows changes: its callbacks must read what changes otherwise when called. */
export const TableRow = memo(function TableRow({
  id,
  elementId,
  name,
  row,
  columns,
  index,
  top,
  height,
  template,
  selected,
  selectable,
  active,
  menuOpen,
  ...on
}: RowProps) {
  return (
    <div
      id={elementId}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      aria-label={name}
      data-row-id={id}
      data-testid={`row-${name}`}
      tabIndex={active ? 0 : -1}
      onFocus={on.onFocus}
      onClick={(event) => {
        // A disabled button lets clicks through: around it, too, a click is meant for no row.
        const control = event.target instanceof Element && event.target.closest("a, button, input, [data-controls]");
        if (control === null || control === false) on.onOpen();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        on.onMenu(event.clientX, event.clientY);
      }}
      style={{ gridTemplateColumns: template, height, top }}
      className={cx(
        // Contained, and without opacity or transforms of its own: a row that comes into sight costs nothing beside itself.
        "absolute inset-x-0 grid items-center border-b border-line px-2 [contain:layout_style] focus-visible:-outline-offset-2",
        selected ? "bg-picked" : menuOpen ? "bg-hover" : "hover:bg-hover",
      )}
    >
      <div role="gridcell" className="flex justify-center">
        {selectable && (
          <Checkbox tabIndex={active ? 0 : -1} aria-label={t.common.selectRow(name)} checked={selected} onChange={() => undefined} onClick={on.onCheck} />
        )}
      </div>
      <RowTab value={active ? 0 : -1}>
        {columns.map((column) => (
          <div key={column.id} role="gridcell" className={cx("min-w-0 px-2", column.alignRight === true && "text-right", column.className)}>
            {column.cell(row)}
          </div>
        ))}
      </RowTab>
    </div>
  );
}, drawnAlike);
