import { Lightbulb } from "lucide-react";
import type { ContainerInspect } from "#api/containers.ts";
import { t } from "#renderer/core/texts.ts";
import { useWhy } from "#renderer/queries.ts";

/** Why the container ended, does not start or is not well: one sentence, one thing to do, and what that is judged from. */
export function WhyCard({ container }: { readonly container: ContainerInspect }) {
  const explanation = useWhy(container);
  if (explanation === null) return null;
  return (
    <section aria-label={t.containers.why} data-testid="why" className="mx-4 mt-1 mb-2 flex gap-2.5 rounded-lg bg-warn-soft px-3 py-2.5">
      <Lightbulb size={16} aria-hidden className="mt-0.5 shrink-0 text-warn-text" />
      <div className="selectable min-w-0 flex-1">
        <p className="font-medium [overflow-wrap:anywhere]">{explanation.Verdict}</p>
        <p className="text-fg2 [overflow-wrap:anywhere]">{explanation.Fix}</p>
        {explanation.Evidence.length > 0 && (
          <details className="mt-1 text-sm">
            <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.containers.whyEvidence}</summary>
            <ul className="mt-1 rounded-md border border-line bg-page px-2 py-1.5 font-mono text-xs">
              {explanation.Evidence.map((line) => (
                <li key={line} className="whitespace-pre-wrap [overflow-wrap:anywhere]">
                  {line}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </section>
  );
}
