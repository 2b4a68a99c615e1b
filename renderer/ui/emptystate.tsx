import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

export interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text?: string | undefined;
  readonly children?: ReactNode;
}

/** What is not there, in one sentence, and how to change that. */
export const EmptyState = ({ icon: Icon, title, text, children }: EmptyStateProps) => (
  <div className="flex flex-1 flex-col items-center justify-center gap-1 px-8 pb-10 text-center">
    <div className="mb-3 flex size-12 items-center justify-center rounded-xl border border-line bg-sunken text-fg3">
      <Icon size={22} strokeWidth={1.6} aria-hidden />
    </div>
    <h2 className="text-lg font-semibold tracking-[-0.01em]">{title}</h2>
    {text !== undefined && <p className="max-w-[400px] text-fg2">{text}</p>}
    {children !== undefined && <div className="mt-4 flex flex-col items-center gap-3">{children}</div>}
  </div>
);
