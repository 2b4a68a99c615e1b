import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { clearSelection, selectAll, type SelectionStore, selectRange, toggle } from "#renderer/core/selection.ts";
import { t } from "#renderer/core/texts.ts";
import { cx } from "./cx.ts";
import { Checkbox } from "./field.tsx";
import { Menu, type MenuItem } from "./menu.tsx";
import { type Column, HeaderCell, TableRow } from "./tablerow.tsx";
import { RowSlots } from "./rowslots.ts";
import { rememberedTable, type SortOrder, sortRows } from "./tablestate.ts";

export interface TableProps<Row> {
  /** Under this name sort order, scroll place and row in focus survive navigation. */
  readonly name: string;
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly idOf: (row: Row) => string;
  readonly nameOf: (row: Row) => string;
  readonly selection: SelectionStore;
  readonly selectable?: (row: Row) => boolean;
  /** Puts rows of its own between those that were sorted. */
  readonly arrange?: (sorted: readonly Row[]) => readonly Row[];
  readonly onOpen: (row: Row) => void;
  readonly menuOf: (row: Row) => readonly MenuItem[];
  readonly onDelete?: () => void;
  readonly rowHeight?: number;
  readonly defaultSort: SortOrder;
  readonly stale?: boolean;
}

/** Rows drawn beyond each end of what is in sight, once that has been drawn. */
const overscanMax = 6;

interface OpenMenu<Row> {
  readonly row: Row;
  readonly at: { readonly x: number; readonly y: number };
}

/**
 * A table whose rows are drawn only while seen. One row is in the tab order and arrows move it; Enter opens, Space
 * selects, Shift extends, the menu key or Shift+F10 opens the row's menu as the right button does.
 */
export function Table<Row>(props: TableProps<Row>) {
  const { name, label, columns, idOf, nameOf, selection, selectable = () => true, onOpen, menuOf, rowHeight = 48, stale = false } = props;
  const kept = rememberedTable(name, props.defaultSort);
  const [sort, setSort] = useState(kept.sort);
  const [active, setActive] = useState(kept.active);
  const [menu, setMenu] = useState<OpenMenu<Row>>();
  const scroller = useRef<HTMLDivElement>(null);
  const wantsFocus = useRef(kept.active !== undefined && kept.returnFocus);
  const selected = useStore(selection, (state) => state.ids);

  const [overscan, setOverscan] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setOverscan(overscanMax), 50);
    return () => clearTimeout(timer);
  }, []);

  const { arrange } = props;
  const rows = useMemo(() => {
    const sorted = sortRows(props.rows, columns.find(({ id }) => id === sort.column)?.sortBy, sort, idOf);
    return arrange === undefined ? sorted : arrange(sorted);
  }, [props.rows, columns, sort, idOf, arrange]);
  const order = useMemo(() => rows.filter(selectable).map(idOf), [rows, selectable, idOf]);
  const activeIndex = Math.max(
    0,
    rows.findIndex((row) => idOf(row) === active),
  );
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => idOf(rows[index] as Row),
    // As many rows at every place: what leaves at one end comes back at the other.
    rangeExtractor: ({ startIndex, count }) => {
      const slots = Math.ceil((scroller.current?.clientHeight ?? 0) / rowHeight) + 1 + 2 * overscan;
      const first = Math.max(0, Math.min(startIndex - overscan, count - slots));
      return Array.from({ length: Math.min(slots, count) }, (_, n) => first + n);
    },
    initialOffset: kept.scrollTop,
  });
  // The rows' elements stay where they are among their siblings; `aria-owns` tells readers the order.
  const items = virtual.getVirtualItems();
  const [rowSlots] = useState(() => new RowSlots());
  const slotOf = rowSlots.assign(
    items.flatMap(({ index }) => (rows[index] === undefined ? [] : [idOf(rows[index])])),
    active,
  );
  const drawn = items
    .flatMap(({ index, start }) => {
      const row = rows[index];
      return row === undefined ? [] : [{ index, start, row, id: idOf(row), slot: slotOf.get(idOf(row)) ?? 0 }];
    })
    .toSorted((a, b) => a.slot - b.slot);
  const elementIdOf = (slot: number): string => `${name}-row-${slot}`;
  const inOrder = drawn.toSorted((a, b) => a.index - b.index).map(({ slot }) => elementIdOf(slot));
  const template = `40px ${columns.map(({ width }) => width).join(" ")}`;

  useLayoutEffect(() => {
    const element = scroller.current;
    return () => {
      // Left by a link in a row, say.
      kept.returnFocus ||= element?.contains(document.activeElement) === true;
    };
  }, [kept]);
  useEffect(() => {
    kept.returnFocus = false;
    if (scroller.current !== null) scroller.current.scrollTop = kept.scrollTop;
    return () => {
      kept.scrollTop = virtual.scrollOffset ?? 0;
    };
  }, [kept, virtual]);
  useEffect(() => {
    if (!wantsFocus.current) return;
    // A row that is gone is not waited for: the focus may be somewhere else by the time one like it comes.
    if (!rows.some((row) => idOf(row) === active)) wantsFocus.current = false;
    const element = scroller.current?.querySelector<HTMLElement>(`[data-row-id="${CSS.escape(active ?? "")}"]`);
    if (element === null || element === undefined) return;
    wantsFocus.current = false;
    element.focus();
  });

  const activate = (id: string): void => {
    kept.active = id;
    setActive(id);
  };
  const moveTo = (index: number, extend: boolean): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    const current = rows[activeIndex];
    if (extend && current !== undefined && selection.getState().anchor === undefined) toggle(selection, idOf(current));
    if (extend) selectRange(selection, order, idOf(row));
    wantsFocus.current = true;
    activate(idOf(row));
    virtual.scrollToIndex(rows.indexOf(row));
  };
  const open = (row: Row): void => {
    kept.returnFocus = true;
    activate(idOf(row));
    onOpen(row);
  };
  const openMenu = (row: Row, x: number, y: number): void => {
    activate(idOf(row));
    setMenu({ row, at: { x, y } });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const row = rows[activeIndex];
    const onRow = event.target instanceof HTMLElement && event.target.getAttribute("role") === "row";
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const targets: Record<string, number> = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: activeIndex + page,
      PageUp: activeIndex - page,
    };
    const target = targets[event.key];
    const all = event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey);
    if (target !== undefined) moveTo(target, event.shiftKey);
    else if (all) selectAll(selection, order);
    else if (event.key === "Escape" && selected.size > 0) clearSelection(selection);
    else if ((event.key === "Delete" || (event.key === "Backspace" && event.metaKey)) && selected.size > 0) props.onDelete?.();
    else if (row === undefined) return;
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = scroller.current?.querySelector(`[data-row-id="${CSS.escape(idOf(row))}"]`)?.getBoundingClientRect();
      openMenu(row, (box?.left ?? 0) + 48, (box?.top ?? 0) + rowHeight - 8);
    } else if (onRow && event.key === "Enter") open(row);
    else if (onRow && event.key === " " && selectable(row)) toggle(selection, idOf(row));
    else return;
    event.preventDefault();
  };

  // Rows are redrawn only when they change, so what they call must not remember an older order.
  const latestOrder = useRef(order);
  useEffect(() => {
    latestOrder.current = order;
  }, [order]);
  const check = (row: Row, event: MouseEvent): void => {
    if (event.shiftKey) selectRange(selection, latestOrder.current, idOf(row));
    else toggle(selection, idOf(row));
  };
  const allSelected = order.length > 0 && order.every((id) => selected.has(id));

  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-multiselectable
      aria-busy={stale}
      data-testid={`table-${name}`}
      onKeyDown={onKeyDown}
      className={cx("min-h-0 flex-1 overflow-y-auto transition-opacity", stale && "opacity-55")}
    >
      <div
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
        className="sticky top-0 z-10 grid h-8 items-center border-b border-line bg-page px-2"
      >
        <div role="columnheader" aria-label={t.common.selectAll} className="flex justify-center">
          <Checkbox
            aria-label={t.common.selectAll}
            checked={allSelected}
            mixed={selected.size > 0 && !allSelected}
            onChange={() => (allSelected ? clearSelection(selection) : selectAll(selection, order))}
          />
        </div>
        {columns.map((column) => (
          <HeaderCell
            key={column.id}
            column={column}
            sort={sort}
            onSort={() => {
              const next = { column: column.id, down: sort.column === column.id && !sort.down };
              kept.saveSort(next);
              setSort(next);
            }}
          />
        ))}
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }} aria-owns={inOrder.join(" ")}>
        {drawn.map(({ index, start, row, id, slot }) => (
          <TableRow
            key={slot}
            id={id}
            elementId={elementIdOf(slot)}
            name={nameOf(row)}
            row={row}
            columns={columns as readonly Column<unknown>[]}
            index={index}
            top={start}
            height={rowHeight}
            template={template}
            selected={selected.has(id)}
            selectable={selectable(row)}
            active={index === activeIndex}
            menuOpen={menu !== undefined && idOf(menu.row) === id}
            onFocus={() => {
              wantsFocus.current = false;
              activate(id);
            }}
            onCheck={(event) => check(row, event)}
            onOpen={() => open(row)}
            onMenu={(x, y) => openMenu(row, x, y)}
          />
        ))}
      </div>
      {menu !== undefined && <Menu label={t.common.actionsFor(nameOf(menu.row))} items={menuOf(menu.row)} at={menu.at} onClose={() => setMenu(undefined)} />}
    </div>
  );
}
