import type { KeyboardEvent, ReactNode } from "react";
import { cx } from "./cx.ts";

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
}

export interface TabsProps<Id extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<Id>[];
  readonly current: Id;
  readonly onSelect: (id: Id) => void;
}

/** Tabs over a panel that has `id="panel"`; arrow keys move and select. */
export function Tabs<Id extends string>({ label, tabs, current, onSelect }: TabsProps<Id>) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[(tabs.findIndex(({ id }) => id === current) + step + tabs.length) % tabs.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onSelect(next.id);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div role="tablist" aria-label={label} onKeyDown={onKeyDown} className="flex gap-4">
      {tabs.map(({ id, label: text }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          data-tab={id}
          aria-selected={id === current}
          aria-controls="panel"
          tabIndex={id === current ? 0 : -1}
          onClick={() => onSelect(id)}
          className={cx(
            "relative h-9 rounded-sm text-base font-medium transition-colors",
            "after:absolute after:inset-x-0 after:-bottom-px after:h-0.5 after:rounded-full",
            id === current ? "text-fg after:bg-accent" : "text-fg2 hover:text-fg after:bg-transparent",
          )}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export const TabPanel = ({ current, children }: { readonly current: string; readonly children: ReactNode }) => (
  <div id="panel" role="tabpanel" aria-labelledby={`tab-${current}`} className="flex min-h-0 flex-1 flex-col">
    {children}
  </div>
);

export interface SegmentedProps<Id extends string> {
  readonly label: string;
  readonly choices: readonly Tab<Id>[];
  readonly current: Id;
  readonly onSelect: (id: Id) => void;
}

/** A choice of few, all seen: radio buttons drawn as one control. */
export function Segmented<Id extends string>({ label, choices, current, onSelect }: SegmentedProps<Id>) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
    const next = choices[(choices.findIndex(({ id }) => id === current) + step + choices.length) % choices.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onSelect(next.id);
    event.currentTarget.querySelector<HTMLElement>(`[data-choice="${next.id}"]`)?.focus();
  };
  return (
    <div role="radiogroup" aria-label={label} onKeyDown={onKeyDown} className="inline-flex rounded-md bg-press p-0.5">
      {choices.map(({ id, label: text }) => (
        <button
          key={id}
          type="button"
          role="radio"
          data-choice={id}
          aria-checked={id === current}
          tabIndex={id === current ? 0 : -1}
          onClick={() => onSelect(id)}
          className={cx(
            "h-6 rounded-[5px] px-3 text-sm font-medium transition-colors",
            id === current ? "bg-[var(--segment)] text-fg shadow-control" : "text-fg2 hover:text-fg",
          )}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
