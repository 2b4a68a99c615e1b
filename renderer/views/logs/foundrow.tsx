import { memo } from "react";
import { exactTime } from "#renderer/core/format.ts";
import { plain } from "#renderer/core/logs/ansi.ts";
import { type FoundLine, type LinePiece, type LogQuestion, pieces } from "#renderer/core/logs/found.ts";
import { t } from "#renderer/core/texts.ts";
import { Badge, type BadgeTone } from "#renderer/ui/badge.tsx";
import { cx } from "#renderer/ui/cx.ts";

const tones: Readonly<Record<string, BadgeTone>> = { warn: "warn", error: "danger", fatal: "danger", info: "accent" };
const colours: Readonly<Record<Exclude<LinePiece["kind"], "found">, string>> = {
  plain: "",
  key: "text-accent-text",
  string: "text-ok-text",
  value: "text-warn-text",
};

/** A line that was found, or a start or an end between such lines. */
export const FoundRow = memo(({ line, question }: { readonly line: FoundLine; readonly question: LogQuestion | undefined }) => (
  <li className="flex items-baseline gap-3 border-b border-line px-4 py-0.5 [content-visibility:auto] [contain-intrinsic-size:auto_25px] hover:bg-hover">
    <time dateTime={line.Time} data-tip={exactTime(Date.parse(line.Time) / 1_000)} className="tabular shrink-0 text-fg3">
      {`${line.Time.slice(5, 10)} ${line.Time.slice(11, 23)}`}
    </time>
    <span className="flex w-44 shrink-0 items-baseline gap-1.5 font-sans">
      {line.Removed === true ? <span className="truncate text-fg2">{line.Name}</span> : <ContainerLink line={line} />}
      {line.Removed === true && <Badge tip={t.logSearch.removedTip}>{t.logSearch.removed}</Badge>}
    </span>
    {"Event" in line ? (
      <em className="text-fg3">{line.Event === "start" ? t.logSearch.start : t.logSearch.die(line.ExitCode)}</em>
    ) : (
      <>
        <span className="w-12 shrink-0">{line.Level !== undefined && <Badge tone={tones[line.Level] ?? "neutral"}>{line.Level}</Badge>}</span>
        <Text text={plain(line.Text)} question={question} />
      </>
    )}
  </li>
));

const ContainerLink = ({ line }: { readonly line: FoundLine }) => (
  <a href={`#/containers/${line.Id}/logs`} className="truncate rounded-sm font-medium hover:underline" data-tip-cut={line.Name}>
    {line.Name}
  </a>
);

const Text = ({ text, question }: { readonly text: string; readonly question: LogQuestion | undefined }) => (
  <code className="min-w-0 flex-1 whitespace-pre-wrap [overflow-wrap:anywhere]">
    {pieces(text, question).map(({ text: piece, kind }, index) =>
      kind === "found" ? (
        <mark key={`${index}-${piece}`}>{piece}</mark>
      ) : (
        <span key={`${index}-${piece}`} className={cx(colours[kind])}>
          {piece}
        </span>
      ),
    )}
  </code>
);
