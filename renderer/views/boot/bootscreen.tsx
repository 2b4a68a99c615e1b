import { Check, CircleAlert, Minus, RotateCw, Stethoscope } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { BootStep, MachineStatus } from "#api/machine.ts";
import { useApp } from "#renderer/appcontext.ts";
import { duration } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useNow } from "#renderer/now.ts";
import { Button } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { ToastHost } from "#renderer/ui/toasts.tsx";
import { TooltipHost } from "#renderer/ui/tooltip.tsx";
import { DiagnosticsDialog } from "#renderer/views/shell/diagnostics.tsx";
import { Logo } from "#renderer/views/shell/logo.tsx";
import { RepairButton } from "#renderer/views/shell/repairbutton.tsx";

/** What is seen until the engine answers: each step of the boot with its time, and the reason when one fails. */
export function BootScreen({ onContinue }: { readonly onContinue: () => void }) {
  const { bridge, machine } = useApp();
  const { status, connected } = useStore(machine);
  const [diagnostics, setDiagnostics] = useState(false);
  const failed = status?.phase === "failed" || status?.phase === "stopped";
  const retry = (): void => {
    bridge.call("machine.start").catch((error: unknown) => toastFailed(error, t.engine.failedTo.start));
  };
  return (
    <main className="flex h-full flex-col items-center overflow-y-auto bg-side px-6 py-8" data-testid="boot">
      <div className="my-auto flex w-full max-w-[460px] flex-col gap-5">
        <header className="flex items-center gap-4">
          <Logo size={44} />
          <div>
            <h1 className="text-xl font-semibold tracking-[-0.015em]">{failed ? t.boot.failedTitle : t.boot.title}</h1>
            {!failed && <p className="text-fg2">{t.boot.first}</p>}
          </div>
        </header>
        <Steps status={status} connected={connected} />
        {status?.error !== undefined && failed && <BootError status={status} />}
        {status !== undefined && status.notices.length > 0 && (
          <ul className="flex flex-col gap-1.5 rounded-lg bg-warn-soft px-3 py-2.5">
            {status.notices.map((notice) => (
              <li key={notice} className="flex gap-2">
                <CircleAlert size={15} aria-hidden className="mt-[3px] shrink-0 text-warn-text" />
                <span>{notice}</span>
              </li>
            ))}
          </ul>
        )}
        {failed && (
          <div className="flex flex-wrap gap-2">
            <Button variant="primary" icon={RotateCw} onClick={retry}>
              {t.common.retry}
            </Button>
            <RepairButton />
            <Button icon={Stethoscope} onClick={() => setDiagnostics(true)}>
              {t.diagnostics.title}
            </Button>
            <Button variant="ghost" onClick={onContinue}>
              {t.boot.continue}
            </Button>
          </div>
        )}
        {status !== undefined && <LogTail lines={status.logTail} open={failed} />}
      </div>
      {diagnostics && <DiagnosticsDialog onClose={() => setDiagnostics(false)} />}
      <ToastHost />
      <TooltipHost />
    </main>
  );
}

function Steps({ status, connected }: { readonly status: MachineStatus | undefined; readonly connected: boolean }) {
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
          {step.title}
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

const BootError = ({ status }: { readonly status: MachineStatus }) => (
  <div role="alert" className="selectable rounded-lg bg-danger-soft px-3 py-2.5">
    <p className="font-medium">{status.error?.message}</p>
    {status.error?.hint !== undefined && <p className="text-fg2">{status.error.hint}</p>}
  </div>
);

function LogTail({ lines, open }: { readonly lines: readonly string[]; readonly open: boolean }) {
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
