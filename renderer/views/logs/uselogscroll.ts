import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LogSession } from "#renderer/core/logs/session.ts";
import type { LogRow } from "#renderer/core/logs/store.ts";
import { sourceColumns } from "./logline.tsx";

export const rowPx = 18;
/** Chromium draws no element taller than about 33 million pixels: beyond this, scrolling covers rows in larger steps. */
const heightPxMax = 24_000_000;
const overscanRows = 24;
const paddingPx = 32;
const stampColumns = 23;
const stampGapPx = 12;
const endPx = 4;

export interface LogScroll {
  readonly onScroll: () => void;
  readonly height: number;
  readonly rows: readonly LogRow[];
  readonly topOf: (row: number) => number;
  readonly following: boolean;
  /** Lines that came since following ended. */
  readonly newLines: number;
  readonly toNewest: () => void;
  /** Ends following where it is. */
  readonly pause: () => void;
  readonly toRow: (row: number) => void;
  readonly firstLine: () => number;
}

export interface LogLook {
  readonly wrap: boolean;
  readonly timestamps: boolean;
  /** Each line has the name of its container. */
  readonly sources: boolean;
}

/** Which rows are in sight, fetched from the worker; follows the newest until the reader scrolls up. */
export function useLogScroll(session: LogSession, box: RefObject<HTMLElement | null>, look: LogLook): LogScroll {
  const totals = useStore(session.view, (view) => view.totals);
  const [view, setView] = useState({ top: 0, height: 0 });
  /** The number of lines when following ended; `undefined` while following. */
  const [leftAt, setLeftAt] = useState<number>();
  const dropped = useRef(totals.droppedRows);
  const columns = useColumns(box, look);
  useEffect(() => session.wrap(columns), [session, columns]);

  const allLines = totals.lines + totals.droppedLines;
  const height = Math.min(totals.rows * rowPx, heightPxMax);
  // 1 while all rows fit; beyond, one pixel of scrolling stands for more than one pixel of rows.
  const stretch = totals.rows * rowPx > heightPxMax ? (totals.rows * rowPx - view.height) / (heightPxMax - view.height) : 1;
  const firstRow = Math.floor((view.top * stretch) / rowPx);
  const rows = useRows(session, Math.max(0, firstRow - overscanRows), Math.ceil(view.height / rowPx) + 1 + 2 * overscanRows, columns);
  const following = leftAt === undefined;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => element.clientHeight > 0 && setView({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const gone = totals.droppedRows - dropped.current;
    dropped.current = totals.droppedRows;
    if (following) element.scrollTo({ top: element.scrollHeight });
    else if (gone > 0) element.scrollTo({ top: Math.max(0, element.scrollTop - (gone * rowPx) / stretch) });
  }, [box, totals, following, stretch, view.height]);

  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - endPx;
    // Only going up by hand ends following: rows that have just come also leave the view short of its end.
    if (following && !atEnd && element.scrollTop < view.top) setLeftAt(allLines);
    else if (!following && atEnd) setLeftAt(undefined);
    setView({ top: element.scrollTop, height: element.clientHeight });
  };
  return {
    onScroll,
    height,
    rows,
    topOf: (row) => (stretch === 1 ? row * rowPx : view.top + row * rowPx - view.top * stretch),
    following,
    newLines: following ? 0 : allLines - leftAt,
    toNewest: () => setLeftAt(undefined),
    pause: () => setLeftAt(allLines),
    toRow: (row) => {
      setLeftAt((at) => at ?? allLines);
      box.current?.scrollTo({ top: (row * rowPx) / stretch - box.current.clientHeight / 2 + rowPx });
    },
    firstLine: () => rows.find((row) => row.row >= firstRow)?.line ?? 0,
  };
}

/** The rows [from, from + count) as the worker has them; asked again when lines come or the width changes. */
function useRows(session: LogSession, from: number, count: number, columns: number): readonly LogRow[] {
  const totals = useStore(session.view, (view) => view.totals);
  const [rows, setRows] = useState<readonly LogRow[]>([]);
  useEffect(() => {
    let current = true;
    void session.ask({ type: "rows", from, count }).then((answer) => {
      if (current) setRows(answer.rows);
    });
    return () => {
      current = false;
    };
  }, [session, from, count, totals, columns]);
  return rows;
}

/** Characters a row has room for; 0 while lines are not wrapped. */
function useColumns(box: RefObject<HTMLElement | null>, { wrap, timestamps, sources }: LogLook): number {
  const [size, setSize] = useState({ width: 0, character: 7 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const character = characterWidth(element);
    const observer = new ResizeObserver(() => element.clientWidth > 0 && setSize({ width: element.clientWidth, character }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  if (!wrap || size.width === 0) return 0;
  const stamp = timestamps ? stampColumns * size.character + stampGapPx : 0;
  const source = sources ? sourceColumns * size.character + stampGapPx : 0;
  return Math.max(20, Math.floor((size.width - paddingPx - stamp - source) / size.character));
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
