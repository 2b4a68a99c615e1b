import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Explanation } from "#renderer/core/explain.ts";
import { t } from "#renderer/core/texts.ts";
import { CopyButton } from "./copy.tsx";

/** A failure in its place: what, why, what to do, and the engine's own words under Details. */
export const ErrorNotice = ({ explanation, children }: { readonly explanation: Explanation; readonly children?: ReactNode }) => (
  <div role="alert" data-testid="error-notice" className="flex gap-2.5 rounded-lg bg-danger-soft px-3 py-2.5">
    <CircleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-danger-text" />
    <div className="min-w-0 flex-1">
      <ErrorText explanation={explanation} />
      {children !== undefined && <div className="mt-2 flex gap-2">{children}</div>}
    </div>
  </div>
);

export const ErrorText = ({ explanation }: { readonly explanation: Explanation }) => (
  <>
    <p className="font-medium break-words">{explanation.title}</p>
    <p className="selectable text-fg2 [overflow-wrap:anywhere]">{explanation.reason}</p>
    {explanation.advice !== undefined && <p className="text-fg2">{explanation.advice}</p>}
    <details className="mt-1 text-sm">
      <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.common.details}</summary>
      <div className="mt-1 flex items-start rounded-md border border-line bg-page">
        <pre className="min-w-0 flex-1 px-2 py-1.5 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">{explanation.details}</pre>
        <CopyButton text={explanation.details} />
      </div>
    </details>
  </>
);
