import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LogSession } from "#renderer/core/logs/session.ts";
import type { LogRow } from "#renderer/core/logs/store.ts";

export const rowPx = 18;
/** Chromium draws no element taller than about 33 million pixels: beyond this, scrolling covers rows in larger steps. */
const heightPxMax = 24_000_000;
const overscanRows = 24;
const paddingPx = 32;
const stampColumns = 23;

export interface LogScroll {
  readonly attach: (element: HTMLElement | null) => void;
  readonly onScroll: () => void;
  readonly height: number;
  readonly rows: readonly LogRow[];
  readonly topOf: (row: number) => number;
  readonly following: boolean;
  /** Lines that came since following ended. */
  readonly newLines: number;
  readonly toNewest: () => void;
  readonly toRow: (row: number) => void;
  readonly firstLine: () => number;
}

/** Which rows are in sight, fetched from the worker; follows the newest until the reader scrolls up. */
export function useLogScroll(session: LogSession, { wrap, timestamps }: { readonly wrap: boolean; readonly timestamps: boolean }): LogScroll {
  const totals = useStore(session.view, (view) => view.totals);
  const [element, attach] = useState<HTMLElement | null>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  const [rows, setRows] = useState<readonly LogRow[]>([]);
  const [following, setFollowing] = useState(true);
  const leftAt = useRef(0);
  const dropped = useRef(totals.droppedRows);
  const columns = useColumns(element, wrap, timestamps);

  useEffect(() => session.wrap(columns), [session, columns]);

  const height = Math.min(totals.rows * rowPx, heightPxMax);
  // 1 while all rows fit; beyond, one pixel of scrolling stands for more than one pixel of rows.
  const stretch = totals.rows * rowPx > heightPxMax ? (totals.rows * rowPx - view.height) / (heightPxMax - view.height) : 1;
  const firstRow = Math.floor((view.top * stretch) / rowPx);
  const shownRows = Math.ceil(view.height / rowPx) + 1;
  const from = Math.max(0, firstRow - overscanRows);
  const count = shownRows + 2 * overscanRows;

  useEffect(() => {
    let current = true;
    void session.ask({ type: "rows", from, count }).then((answer) => {
      if (current) setRows(answer.rows);
    });
    return () => {
      current = false;
    };
  }, [session, from, count, totals, columns]);

  const measure = useCallback(() => {
    if (element !== null) setView({ top: element.scrollTop, height: element.clientHeight });
  }, [element]);
  useEffect(() => {
    if (element === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, measure]);

  useLayoutEffect(() => {
    if (element === null) return;
    const gone = totals.droppedRows - dropped.current;
    dropped.current = totals.droppedRows;
    if (following) element.scrollTop = element.scrollHeight;
    else if (gone > 0) element.scrollTop = Math.max(0, element.scrollTop - (gone * rowPx) / stretch);
    measure();
  }, [element, totals, following, measure, stretch]);

  const onScroll = (): void => {
    if (element === null) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    // Only going up by hand ends following; rows that came meanwhile also leave the view short of its end.
    if (following && !atEnd && element.scrollTop < view.top) {
      leftAt.current = totals.lines + totals.droppedLines;
      setFollowing(false);
    } else if (!following && atEnd) setFollowing(true);
    measure();
  };
  return {
    attach,
    onScroll,
    height,
    rows,
    topOf: (row) => (stretch === 1 ? row * rowPx : view.top + row * rowPx - view.top * stretch),
    following,
    newLines: totals.lines + totals.droppedLines - leftAt.current,
    toNewest: () => setFollowing(true),
    toRow: (row) => {
      if (element === null) return;
      leftAt.current = totals.lines + totals.droppedLines;
      setFollowing(false);
      element.scrollTop = (row * rowPx) / stretch - element.clientHeight / 2 + rowPx;
    },
    firstLine: () => rows.find((row) => row.row >= firstRow)?.line ?? 0,
  };
}

/** Characters a row has room for; 0 while lines are not wrapped. */
function useColumns(element: HTMLElement | null, wrap: boolean, timestamps: boolean): number {
  const [columns, setColumns] = useState(0);
  useEffect(() => {
    if (element === null || !wrap) {
      setColumns(0);
      return;
    }
    const width = characterWidth(element);
    const observer = new ResizeObserver(() => {
      const room = element.clientWidth - paddingPx - (timestamps ? stampColumns * width + 12 : 0);
      setColumns(Math.max(20, Math.floor(room / width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, wrap, timestamps]);
  return columns;
}

function characterWidth(element: HTMLElement): number {
  const probe = document.createElement("span");
  probe.textContent = "0".repeat(100);
  probe.style.cssText = "position:absolute;visibility:hidden;white-space:pre";
  element.append(probe);
  const width = probe.getBoundingClientRect().width / 100;
  probe.remove();
  return width > 0 ? width : 7;
}
