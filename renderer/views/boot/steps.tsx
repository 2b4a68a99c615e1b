import { Check, CircleAlert, Minus } from "lucide-react";
import { useState } from "react";
import type { BootStep, MachineStatus } from "#api/machine.ts";
import { duration } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useNow } from "#renderer/now.ts";
import { cx } from "#renderer/ui/cx.ts";
import { Spinner } from "#renderer/ui/spinner.tsx";

/** The steps of the last start, each with its time and, when it failed, its reason. */
export function Steps({ status, connected }: { readonly status: MachineStatus | undefined; readonly connected: boolean }) {
  const reaching: BootStep = { name: "host", title: t.boot.connecting, state: connected && status !== undefined ? "done" : "running", deadlineMs: 0 };
  const steps = status === undefined || status.steps.length === 0 ? [reaching] : status.steps;
  return (
    <ol aria-live="polite" className="overflow-hidden rounded-xl border border-line bg-raised shadow-control">
      {steps.map((step) => (
        <Step key={step.name} step={step} />
      ))}
    </ol>
  );
}

function Step({ step }: { readonly step: BootStep }) {
  const running = step.state === "running";
  const now = useNow(running ? 100 : undefined);
  const took = step.tookMs ?? (running && step.startedAt !== undefined ? Math.max(0, now - step.startedAt) : undefined);
  return (
    <li data-testid={`boot-${step.name}`} data-state={step.state} className="flex items-start gap-3 border-b border-line px-3.5 py-2 last:border-0">
      <span className="mt-0.5 flex size-4 items-center justify-center">
        <StepIcon state={step.state} />
      </span>
      <div className="min-w-0 flex-1">
        <p className={cx(step.state === "waiting" || step.state === "skipped" ? "text-fg3" : "text-fg", running && "font-medium")}>
          {t.boot.steps[step.name] ?? step.title}
          <span className="sr-only">, {t.boot.states[step.state]}</span>
        </p>
        {step.reason !== undefined && <p className={cx("selectable text-sm", step.state === "failed" ? "text-danger-text" : "text-fg3")}>{step.reason}</p>}
      </div>
      {took !== undefined && <span className="tabular text-sm leading-5 text-fg3">{duration(took)}</span>}
    </li>
  );
}

function StepIcon({ state }: { readonly state: BootStep["state"] }) {
  switch (state) {
    case "done":
      return <Check size={15} strokeWidth={2.4} aria-hidden className="text-ok-text" />;
    case "running":
      return <Spinner size={15} className="text-accent-text" />;
    case "failed":
      return <CircleAlert size={15} aria-hidden className="text-danger-text" />;
    case "skipped":
      return <Minus size={14} aria-hidden className="text-fg3" />;
    case "waiting":
      return <span aria-hidden className="size-1.5 rounded-full bg-idle" />;
  }
}

/** The last lines that the guest and its engine printed. */
export function LogTail({ lines, open }: { readonly lines: readonly string[]; readonly open: boolean }) {
  const [shown, setShown] = useState(open);
  return (
    <details open={shown || open} onToggle={(event) => setShown(event.currentTarget.open)} className="text-sm">
      <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.engine.logTail}</summary>
      <pre className="mt-2 max-h-44 overflow-auto rounded-lg border border-line bg-raised p-3 font-mono text-xs">
        {lines.length === 0 ? t.boot.noLog : lines.join("\n")}
      </pre>
    </details>
  );
}
