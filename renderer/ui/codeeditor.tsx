import { type RefObject, useRef } from "react";
import { cx } from "./cx.ts";

export interface CodeEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What is wrong, by line from 1. */
  readonly problems: ReadonlyMap<number, string>;
  readonly ref?: RefObject<HTMLTextAreaElement | null>;
}

const linePx = 20;

/** A text with numbered lines; those that are wrong are marked. Tab leaves it, as everywhere. */
export function CodeEditor({ label, value, onChange, problems, ref }: CodeEditorProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const lines = value.split("\n").length;
  return (
    <div className="flex min-h-0 flex-1 overflow-hidden rounded-lg border border-line-strong bg-page focus-within:border-focus">
      <div
        ref={gutter}
        aria-hidden
        className="shrink-0 overflow-hidden border-r border-line bg-sunken/60 py-2 text-right font-mono text-sm text-fg3 select-none"
      >
        {Array.from({ length: lines }, (_, index) => {
          const problem = problems.get(index + 1);
          return (
            <div
              key={index}
              data-tip={problem}
              style={{ height: linePx }}
              className={cx("px-2.5 leading-5", problem !== undefined && "bg-danger-soft font-semibold text-danger-text")}
            >
              {index + 1}
            </div>
          );
        })}
        {/* Where the text's own scroll bar is. */}
        <div style={{ height: linePx }} />
      </div>
      <textarea
        ref={ref}
        aria-label={label}
        aria-invalid={problems.size > 0 || undefined}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        wrap="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }}
        className="min-w-0 flex-1 resize-none bg-transparent px-3 py-2 font-mono text-sm leading-5 whitespace-pre text-fg outline-none"
      />
    </div>
  );
}

/** Puts the cursor at the start of a line, and the line in sight. */
export function goToLine(area: HTMLTextAreaElement | null, line: number): void {
  if (area === null) return;
  const start = area.value
    .split("\n")
    .slice(0, line - 1)
    .reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start);
  area.scrollTop = Math.max(0, (line - 1) * linePx - area.clientHeight / 2);
}
