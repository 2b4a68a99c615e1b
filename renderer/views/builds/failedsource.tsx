import type { BuildSource } from "#api/builds.ts";
import { t } from "#renderer/core/texts.ts";
import { cx } from "#renderer/ui/cx.ts";

/** Lines shown around those that failed. */
const around = 4;

/** The Dockerfile where it failed. */
export function FailedSource({ source: { filename, text, start, end } }: { readonly source: BuildSource }) {
  const lines = text.split("\n").map((line, index) => ({ line, number: index + 1 }));
  const shown = lines.filter(({ number }) => number >= start - around && number <= end + around && (number < lines.length || lines[number - 1]?.line !== ""));
  return (
    <figure data-testid="failed-source" className="shrink-0 overflow-hidden rounded-lg border border-line">
      <figcaption className="border-b border-line bg-sunken/60 px-3 py-1.5 text-sm font-medium text-fg2">{t.builds.failedIn(filename, start)}</figcaption>
      <pre className="selectable overflow-x-auto py-1.5 font-mono text-sm">
        {shown.map(({ line, number }) => {
          const failed = number >= start && number <= end;
          return (
            <span key={number} className={cx("flex min-w-fit pr-3", failed && "bg-danger-soft")}>
              <span aria-hidden className={cx("w-[3px] shrink-0", failed && "bg-danger")} />
              <span className={cx("tabular w-12 shrink-0 pr-3 text-right select-none", failed ? "text-danger-text" : "text-fg3")}>{number}</span>
              {number === start && <span className="sr-only">{t.builds.failedLine}: </span>}
              {/* An empty line keeps its height. */}
              <span className={cx(failed && "font-medium")}>{line === "" ? " " : line}</span>
            </span>
          );
        })}
      </pre>
    </figure>
  );
}
