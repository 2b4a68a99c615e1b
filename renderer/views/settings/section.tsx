import type { ReactNode } from "react";

export const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title}>
    <h2 className="mb-2 text-sm font-medium text-fg3">{title}</h2>
    <div className="rounded-xl border border-line bg-page px-4 shadow-control">{children}</div>
  </section>
);

export const Row = ({ label, hint, children }: { readonly label: string; readonly hint?: string | undefined; readonly children: ReactNode }) => (
  <div className="flex min-h-[52px] items-center gap-6 border-b border-line py-2.5 last:border-0">
    <div className="min-w-0 flex-1">
      <p>{label}</p>
      {hint !== undefined && <p className="text-sm text-fg3">{hint}</p>}
    </div>
    <div className="shrink-0">{children}</div>
  </div>
);
