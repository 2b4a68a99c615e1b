import { CircleAlert, Monitor, RotateCw, Stethoscope } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { MachineStatus } from "#api/machine.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ShownEngine } from "#renderer/core/shownengine.ts";
import { switchTo } from "#renderer/core/switching.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { ToastHost } from "#renderer/ui/toasts.tsx";
import { TooltipHost } from "#renderer/ui/tooltip.tsx";
import { WhyNotice } from "#renderer/ui/whynotice.tsx";
import { DiagnosticsDialog } from "#renderer/views/shell/diagnostics.tsx";
import { Logo } from "#renderer/views/shell/logo.tsx";
import { RepairButton } from "#renderer/views/shell/repairbutton.tsx";
import { LogTail, Steps } from "./steps.tsx";

/** What is seen until the engine answers: each step of the boot with its time, and the reason when one fails. */
export function BootScreen({ onContinue }: { readonly onContinue: () => void }) {
  const app = useApp();
  const { bridge, machine, shown } = app;
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
            <h1 className="text-xl font-semibold tracking-[-0.015em]">{titleOf(shown, failed)}</h1>
            {!failed && <p className="text-fg2">{shown === undefined ? t.boot.first : t.engines.connectingText}</p>}
          </div>
        </header>
        <Steps status={status} connected={connected} />
        {status?.error !== undefined && failed && <BootError error={status.error} />}
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
            {shown === undefined ? (
              <>
                <RepairButton />
                <Button icon={Stethoscope} onClick={() => setDiagnostics(true)}>
                  {t.diagnostics.title}
                </Button>
              </>
            ) : (
              <Button icon={Monitor} onClick={() => switchTo(app, undefined)}>
                {t.engines.showHere}
              </Button>
            )}
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

function titleOf(shown: ShownEngine | undefined, failed: boolean): string {
  if (shown === undefined) return failed ? t.boot.failedTitle : t.boot.title;
  return failed ? t.engines.notReached(shown.name) : t.engines.connecting(shown.name);
}

const BootError = ({ error: { message, hint, why, cause } }: { readonly error: NonNullable<MachineStatus["error"]> }) => (
  <div role="alert" data-testid="boot-error">
    {why !== undefined ? (
      <WhyNotice explanation={why} icon={CircleAlert} tone="danger" more={hint} />
    ) : (
      <div className="selectable rounded-lg bg-danger-soft px-3 py-2.5">
        <p className="font-medium">{message}</p>
        {(cause !== undefined || hint !== undefined) && <p className="text-fg2">{cause === undefined ? hint : t.engines.causes[cause]}</p>}
      </div>
    )}
  </div>
);
