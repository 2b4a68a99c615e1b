import type { ReactNode } from "react";

export interface PageProps {
  readonly title: string;
  /** A figure or two beside the title. */
  readonly note?: string | undefined;
  readonly search?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A list page: title and figures, search, actions, then what it is about. */
export const Page = ({ title, note, search, actions, children }: PageProps) => (
  <section aria-label={title} className="flex min-h-0 flex-1 flex-col">
    <header className="flex h-[52px] shrink-0 items-center gap-3 border-b border-line px-4">
      <h1 className="text-lg font-semibold tracking-[-0.01em] whitespace-nowrap">{title}</h1>
      <p className="tabular truncate text-sm text-fg3" aria-live="polite">
        {note}
      </p>
      <div className="ml-auto flex shrink-0 items-center gap-2">
        {search}
        {actions}
      </div>
    </header>
    {children}
  </section>
);

/** Facts as label and value. */
export const Facts = ({ rows }: { readonly rows: readonly (readonly [label: string, value: ReactNode])[] }) => (
  <dl className="grid grid-cols-[minmax(120px,max-content)_1fr] gap-x-6 gap-y-2">
    {rows.map(([label, value]) => (
      <div key={label} className="contents">
        <dt className="text-fg3">{label}</dt>
        <dd className="selectable min-w-0 [overflow-wrap:anywhere]">{value}</dd>
      </div>
    ))}
  </dl>
);
