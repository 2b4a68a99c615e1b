import type { LucideIcon } from "lucide-react";
import type { WhyExplanation } from "#api/why.ts";
import { t } from "#renderer/core/texts.ts";

const tones = { warn: ["bg-warn-soft", "text-warn-text"], danger: ["bg-danger-soft", "text-danger-text"] } as const;

interface WhyNoticeProps {
  readonly explanation: WhyExplanation;
  readonly icon: LucideIcon;
  readonly tone: keyof typeof tones;
  /** Where there is more. */
  readonly more?: string | undefined;
}

/** Why something is as nobody wanted it: one sentence, one thing to do, and what that is judged from. */
export function WhyNotice({ explanation: { Verdict, Fix, Evidence }, icon: Icon, tone, more }: WhyNoticeProps) {
  const [background, text] = tones[tone];
  return (
    <div className={`flex gap-2.5 rounded-lg px-3 py-2.5 ${background}`}>
      <Icon size={16} aria-hidden className={`mt-0.5 shrink-0 ${text}`} />
      <div className="selectable min-w-0 flex-1">
        <p className="font-medium [overflow-wrap:anywhere]">{Verdict}</p>
        <p className="text-fg2 [overflow-wrap:anywhere]">{Fix}</p>
        {Evidence.length > 0 && (
          <details className="mt-1 text-sm">
            <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.common.evidence}</summary>
            <ul className="mt-1 rounded-md border border-line bg-page px-2 py-1.5 font-mono text-xs">
              {Evidence.map((line) => (
                <li key={line} className="whitespace-pre-wrap [overflow-wrap:anywhere]">
                  {line}
                </li>
              ))}
            </ul>
            {more !== undefined && <p className="mt-1 text-fg2 [overflow-wrap:anywhere]">{more}</p>}
          </details>
        )}
      </div>
    </div>
  );
}
