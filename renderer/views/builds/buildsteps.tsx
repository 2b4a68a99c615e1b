import { Check, ChevronRight, CircleX, Database } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { shownLog, stepParts, stepState, type StepView, tookMs } from "#renderer/core/builds.ts";
import { duration } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { Badge } from "#renderer/ui/badge.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { Spinner } from "#renderer/ui/spinner.tsx";

/** Every step when it ran and for how long, and what it said. Stages that ran side by side are seen to. `path`: the critical one. */
export function BuildSteps({ steps, path }: { readonly steps: readonly StepView[]; readonly path: ReadonlySet<string> }) {
  const running = steps.some((step) => stepState(step) === "running");
  const now = useNow(running ? 500 : 60_000);
  const starts = steps.flatMap(({ started }) => (started === undefined ? [] : [Date.parse(started)]));
  const begin = Math.min(...starts);
  const end = Math.max(...steps.map(({ completed }) => (completed === undefined ? now : Date.parse(completed))));
  return (
    <ol aria-label={t.builds.steps} data-testid="build-steps" className="overflow-hidden rounded-lg border border-line">
      {steps.map((step) => (
        <Step key={step.id} step={step} critical={path.has(step.id)} now={now} begin={begin} span={Math.max(1, end - begin)} />
      ))}
    </ol>
  );
}

interface StepProps {
  readonly step: StepView;
  /** The others could have been slower, and the build not. */
  readonly critical: boolean;
  readonly now: number;
  readonly begin: number;
  readonly span: number;
}

function Step({ step, critical, now, begin, span }: StepProps) {
  const state = stepState(step);
  const { place, text, internal } = stepParts(step.name);
  // What fails or runs is open until somebody decides otherwise.
  const [chosen, choose] = useState<boolean>();
  const open = chosen ?? (state === "failed" || (state === "running" && step.log !== ""));
  const took = tookMs(step, now);
  const from = step.started === undefined ? 0 : (Date.parse(step.started) - begin) / span;
  return (
    <li data-testid="build-step" className="border-b border-line last:border-0">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => choose(!open)}
        className={cx(
          "grid h-8 w-full grid-cols-[14px_16px_minmax(0,1fr)_auto_96px_64px] items-center gap-2.5 px-3 text-left hover:bg-hover max-[860px]:grid-cols-[14px_16px_minmax(0,1fr)_auto_64px]",
          state === "failed" && "bg-danger-soft",
        )}
      >
        <ChevronRight size={14} aria-hidden className={cx("text-fg3 transition-transform duration-100", open && "rotate-90")} />
        <StepIcon state={state} />
        <span className="flex min-w-0 items-baseline gap-2">
          {place !== "" && <span className="tabular shrink-0 text-sm text-fg3">{place}</span>}
          <span className={cx("truncate", internal ? "text-fg2" : "font-mono text-sm")}>{text}</span>
          {critical && <span className="sr-only">{t.builds.critical}</span>}
        </span>
        <span>
          {state === "done" ? <span className="sr-only">{t.builds.stepStates.done}</span> : <Badge tone={badges[state]}>{t.builds.stepStates[state]}</Badge>}
        </span>
        <span aria-hidden className="relative h-1.5 rounded-full bg-press max-[860px]:hidden">
          <span
            style={{ left: `${from * 100}%`, width: `max(3px, ${(took / span) * 100}%)` }}
            className={cx("absolute h-full max-w-full rounded-full", bars[state], !critical && state !== "running" && "opacity-35")}
          />
        </span>
        <span className="tabular text-right text-sm text-fg2">{duration(took)}</span>
      </button>
      {open && <StepLog step={step} follow={state === "running"} />}
    </li>
  );
}

const badges = { running: "accent", cached: "neutral", failed: "danger" } as const;
const bars = { running: "bg-accent", cached: "bg-idle", failed: "bg-danger", done: "bg-ok" } as const;

function StepIcon({ state }: { readonly state: ReturnType<typeof stepState> }) {
  if (state === "running") return <Spinner size={14} />;
  if (state === "failed") return <CircleX size={15} aria-hidden className="text-danger-text" />;
  if (state === "cached") return <Database size={14} aria-hidden className="text-fg3" />;
  return <Check size={15} aria-hidden className="text-ok-text" />;
}

function StepLog({ step, follow }: { readonly step: StepView; readonly follow: boolean }) {
  const ref = useRef<HTMLPreElement>(null);
  const text = shownLog(step.log);
  useEffect(() => {
    if (follow && ref.current !== null) ref.current.scrollTop = ref.current.scrollHeight;
  }, [text, follow]);
  const { text: name } = stepParts(step.name);
  return (
    <div className="border-t border-line bg-sunken">
      {text === "" && step.error === undefined && <p className="px-[52px] py-2 text-sm text-fg3">{t.builds.noLog}</p>}
      {text !== "" && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        <pre
          ref={ref}
          role="region"
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
          tabIndex={0}
          aria-label={t.builds.stepLog(name)}
          className="selectable max-h-[320px] overflow-auto px-[52px] py-2 font-mono text-xs leading-[18px] whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          {text}
        </pre>
      )}
      {step.error !== undefined && <p className="selectable px-[52px] pb-2 text-sm text-danger-text [overflow-wrap:anywhere]">{step.error}</p>}
    </div>
  );
}
