import { ArrowDown, ChevronDown, ChevronUp, Clock, Download, Eraser, FileText, Pause, Play, WrapText } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { saveText } from "#renderer/core/download.ts";
import { explain } from "#renderer/core/explain.ts";
import type { LogSession } from "#renderer/core/logs/session.ts";
import { readPref, writePref } from "#renderer/core/prefs.ts";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "#renderer/ui/button.tsx";
import { CopyButton } from "#renderer/ui/copy.tsx";
import { EmptyState } from "#renderer/ui/emptystate.tsx";
import { ErrorNotice } from "#renderer/ui/errornotice.tsx";
import { SearchField } from "#renderer/ui/field.tsx";
import { LogLine } from "./logline.tsx";
import { rowPx, useLogScroll } from "./uselogscroll.ts";

interface Switches {
  readonly wrap: boolean;
  readonly timestamps: boolean;
}
interface Match {
  readonly line: number;
  readonly row: number;
  readonly index: number;
}
const copyBytesMax = 5_000_000;
const saveBytesMax = 256 * 1024 * 1024;

export interface LogPaneProps {
  readonly session: LogSession;
  /** Of the file it is saved as, without its ending. */
  readonly name: string;
  /** At the toolbar's end. */
  readonly children?: ReactNode;
}

/** The lines of an open log as they come, of one container or of several: searched, wrapped, copied, saved. */
export function LogPane({ session, name, children }: LogPaneProps) {
  const { totals, phase, query: counted, names } = useStore(session.view);
  const [switches, setSwitches] = useState<Switches>(() => readPref("logs", { wrap: true, timestamps: false }));
  const [query, setQuery] = useState("");
  const [match, setMatch] = useState<Match>();
  const view = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const scroll = useLogScroll(session, view, { ...switches, sources: names.length > 0 });

  useEffect(() => {
    const timer = setTimeout(() => session.search(query), 80);
    return () => clearTimeout(timer);
  }, [session, query]);

  const searchFor = (next: string): void => {
    setQuery(next);
    setMatch(undefined);
    jumping.current = Promise.resolve(undefined);
  };
  const change = (part: Partial<Switches>): void => {
    const next = { ...switches, ...part };
    writePref("logs", next);
    setSwitches(next);
  };
  // Jumps follow each other, however fast the key is pressed: each begins where the one before it ended.
  const jumping = useRef<Promise<Match | undefined>>(Promise.resolve(undefined));
  const jump = (direction: 1 | -1): void => {
    const start = direction === 1 ? scroll.firstLine() - 1 : scroll.firstLine();
    jumping.current = jumping.current.then(async (before) => {
      const found = await session.ask({ type: "match", line: before?.line ?? start, direction });
      setMatch(found);
      if (found !== undefined) scroll.toRow(found.row);
      return found;
    });
  };
  const save = async (): Promise<void> => saveText(await session.ask({ type: "text", bytesMax: saveBytesMax }), `${name}.log`);
  const onKeyDown = (event: KeyboardEvent): void => {
    const typing = event.target instanceof HTMLInputElement;
    if (typing && event.key === "Enter") jump(event.shiftKey ? -1 : 1);
    else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "n" && query !== "") jump(1);
    else if (event.key === "p" && query !== "") jump(-1);
    else if (event.key === "End") scroll.toNewest();
    else return;
    event.preventDefault();
  };

  // The find key works wherever on the page the focus is; the browser's own search would see the rows in sight only.
  useEffect(() => {
    const onFind = (event: globalThis.KeyboardEvent): void => {
      const find = event.key.toLowerCase() === "f" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      if (!find || box.current?.closest("[hidden]") !== null || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      const field = box.current.querySelector<HTMLInputElement>("[data-search]");
      field?.focus();
      field?.select();
    };
    addEventListener("keydown", onFind);
    return () => removeEventListener("keydown", onFind);
  }, []);

  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- keys of the view, wherever in it the focus is
    <div ref={box} onKeyDown={onKeyDown} className="flex min-h-0 flex-1 flex-col">
      <div role="toolbar" aria-label={t.containers.tabs.logs} className="flex shrink-0 items-center gap-1 border-b border-line px-4 py-1.5">
        <SearchField label={t.logs.search} value={query} onChange={searchFor} className="w-[260px]" />
        {query !== "" && (
          <>
            <span role="status" data-testid="log-matches" className="tabular px-1.5 text-sm whitespace-nowrap text-fg2">
              {counted === query ? t.logs.matches(match?.index ?? 0, totals.matches) : "…"}
            </span>
            <IconButton icon={ChevronUp} label={t.logs.previous} disabled={totals.matches === 0} onClick={() => jump(-1)} />
            <IconButton icon={ChevronDown} label={t.logs.next} disabled={totals.matches === 0} onClick={() => jump(1)} />
          </>
        )}
        <span className="tabular ml-auto pr-2 text-sm text-fg3" data-testid="log-lines">
          {t.logs.lines(totals.lines)}
        </span>
        <IconButton
          icon={scroll.following ? Pause : Play}
          label={scroll.following ? t.logs.pause : t.logs.goOn}
          onClick={scroll.following ? scroll.pause : scroll.toNewest}
        />
        <IconButton icon={WrapText} label={t.logs.wrap} pressed={switches.wrap} onClick={() => change({ wrap: !switches.wrap })} />
        <IconButton icon={Clock} label={t.logs.timestamps} pressed={switches.timestamps} onClick={() => change({ timestamps: !switches.timestamps })} />
        <CopyButton text={() => session.ask({ type: "text", bytesMax: copyBytesMax })} label={t.logs.copy} />
        <IconButton icon={Download} label={t.logs.save} disabled={totals.lines === 0} onClick={() => void save()} />
        <IconButton icon={Eraser} label={t.logs.clear} onClick={() => session.clear()} />
        {children}
      </div>
      {phase.kind === "failed" && (
        <div className="p-3">
          <ErrorNotice explanation={explain(phase.error, t.logs.failed)} />
        </div>
      )}
      <div className="relative flex min-h-0 flex-1 flex-col">
        <div
          ref={view}
          role="log"
          aria-label={t.logs.label}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region is reached by keyboard
          tabIndex={0}
          data-testid="log-view"
          onScroll={scroll.onScroll}
          className="log-rows selectable relative min-h-0 flex-1 overflow-auto py-1 font-mono text-sm focus-visible:-outline-offset-2"
        >
          <div style={{ height: scroll.height }} className="relative w-max min-w-full">
            {scroll.rows.map((row) => (
              <LogLine
                key={row.line}
                row={row}
                top={scroll.topOf(row.row)}
                height={row.rows * rowPx}
                wrap={switches.wrap}
                timestamps={switches.timestamps}
                query={query}
                now={match?.line === row.line}
                source={names[row.source]}
              />
            ))}
          </div>
        </div>
        {totals.lines === 0 && phase.kind !== "failed" && (
          <div className="pointer-events-none absolute inset-0 flex">
            <EmptyState icon={FileText} title={t.logs.empty} text={phase.kind === "ended" ? t.logs.ended : t.logs.emptyText} />
          </div>
        )}
        {!scroll.following && totals.lines > 0 && (
          <button
            type="button"
            data-testid="jump-newest"
            onClick={scroll.toNewest}
            className="toast-in tabular absolute bottom-3 left-1/2 flex h-7 -translate-x-1/2 items-center gap-1.5 rounded-full bg-raised px-3 text-sm font-medium shadow-float hover:text-accent-text"
          >
            <ArrowDown size={13} aria-hidden />
            {t.logs.jump(scroll.newLines)}
          </button>
        )}
      </div>
      {phase.kind === "ended" && totals.lines > 0 && (
        <p role="status" className="shrink-0 border-t border-line bg-side px-4 py-1 text-sm text-fg3">
          {t.logs.ended}
        </p>
      )}
    </div>
  );
}
