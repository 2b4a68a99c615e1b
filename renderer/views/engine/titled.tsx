import type { ReactNode } from "react";

export const Titled = ({ title, note, children }: { readonly title: string; readonly note?: string | undefined; readonly children: ReactNode }) => (
  <section aria-label={title} className="flex flex-col gap-2">
    <h2 className="flex items-baseline gap-3 text-sm font-medium text-fg3">
      {title}
      {note !== undefined && <span className="tabular font-normal">{note}</span>}
    </h2>
    {children}
  </section>
);
