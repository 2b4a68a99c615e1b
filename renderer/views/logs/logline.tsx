import { Fragment, memo, type ReactNode } from "react";
import { type AnsiSpan, type AnsiStyle, parseAnsi } from "#renderer/core/logs/ansi.ts";
import type { LogRow } from "#renderer/core/logs/store.ts";
import { t } from "#renderer/core/texts.ts";

export interface LogLineProps {
  readonly row: LogRow;
  readonly top: number;
  readonly height: number;
  readonly wrap: boolean;
  readonly timestamps: boolean;
  readonly query: string;
  /** The match that n and p have gone to. */
  readonly now: boolean;
  /** The container's name, where several are shown. */
  readonly source: string | undefined;
}

/** Width of the column with the containers' names. */
export const sourceColumns = 16;
/** Those of the sixteen that are read on both grounds; the name itself stands beside. */
const sourceColors = [4, 5, 6, 2, 3, 1] as const;
const sourceColor = (source: number): string => `var(--ansi-${sourceColors[source % sourceColors.length] ?? 4})`;

const alike = (a: LogLineProps, b: LogLineProps): boolean =>
  a.row.line === b.row.line &&
  a.row.rows === b.row.rows &&
  a.top === b.top &&
  a.height === b.height &&
  a.wrap === b.wrap &&
  a.timestamps === b.timestamps &&
  a.query === b.query &&
  a.now === b.now &&
  a.source === b.source;

export const LogLine = memo(function LogLine({ row, top, height, wrap, timestamps, query, now, source }: LogLineProps) {
  return (
    <div
      data-line={row.line}
      data-now={now || undefined}
      style={{ transform: `translateY(${top}px)`, height }}
      className={`absolute top-0 left-0 flex min-w-full overflow-hidden pr-4 pl-4 hover:bg-hover ${now ? "bg-picked" : ""}`}
    >
      {row.stderr && (
        <span
          role="img"
          aria-label={t.logs.stderr}
          data-tip={t.logs.stderr}
          className="absolute inset-y-0.5 left-1.5 w-[3px] rounded-full bg-danger opacity-60"
        />
      )}
      {timestamps && <time className="shrink-0 pr-3 text-fg3">{row.time === 0 ? "" : stamp(row.time)}</time>}
      {source !== undefined && (
        <span data-tip-cut={source} style={{ width: `${sourceColumns}ch`, color: sourceColor(row.source) }} className="mr-3 shrink-0 truncate">
          {source}
        </span>
      )}
      <span className={wrap ? "min-w-0 flex-1 break-all whitespace-pre-wrap" : "whitespace-pre"}>
        <Spans spans={parseAnsi(row.text)} query={query} />
      </span>
    </div>
  );
}, alike);

const pad = (n: number, width = 2): string => String(n).padStart(width, "0");

/** Local time to the millisecond, always of one width. */
export function stamp(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** Styled spans with the matches marked; a match may run over several spans. */
function Spans({ spans, query }: { readonly spans: readonly AnsiSpan[]; readonly query: string }) {
  const ranges = matchRanges(spans.map(({ text }) => text).join(""), query);
  let offset = 0;
  return spans.map(({ text, style }) => {
    const start = offset;
    offset += text.length;
    const content = ranges.length === 0 ? text : marked(text, start, ranges);
    const css = cssOf(style);
    return css === undefined ? (
      <Fragment key={start}>{content}</Fragment>
    ) : (
      <span key={start} style={css}>
        {content}
      </span>
    );
  });
}

type Range = readonly [from: number, to: number];
const rangesMax = 200;

export function matchRanges(text: string, query: string): readonly Range[] {
  if (query === "") return [];
  const ranges: Range[] = [];
  const [haystack, needle] = [text.toLowerCase(), query.toLowerCase()];
  for (let at = haystack.indexOf(needle); at >= 0 && ranges.length < rangesMax; at = haystack.indexOf(needle, at + needle.length))
    ranges.push([at, at + needle.length]);
  return ranges;
}

function marked(text: string, start: number, ranges: readonly Range[]): readonly ReactNode[] {
  const parts: ReactNode[] = [];
  let done = 0;
  for (const [from, to] of ranges) {
    const a = Math.max(0, from - start);
    const b = Math.min(text.length, to - start);
    if (a >= b) continue;
    parts.push(text.slice(done, a), <mark key={a}>{text.slice(a, b)}</mark>);
    done = b;
  }
  parts.push(text.slice(done));
  return parts;
}

const colorOf = (color: number | string | undefined): string | undefined => (typeof color === "number" ? `var(--ansi-${color})` : color);

function cssOf(style: AnsiStyle): React.CSSProperties | undefined {
  if (Object.keys(style).length === 0) return undefined;
  const color = colorOf(style.color);
  const background = colorOf(style.background);
  const decoration = [style.underline === true && "underline", style.strike === true && "line-through"].filter(Boolean).join(" ");
  return {
    color: style.inverse === true ? (background ?? "var(--page)") : background === undefined ? color : (color ?? "var(--page)"),
    backgroundColor: style.inverse === true ? (color ?? "var(--fg)") : background,
    fontWeight: style.bold === true ? 700 : undefined,
    opacity: style.dim === true ? 0.7 : undefined,
    fontStyle: style.italic === true ? "italic" : undefined,
    textDecoration: decoration === "" ? undefined : decoration,
  };
}
