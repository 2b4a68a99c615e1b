import { RotateCw, Stethoscope } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useStore } from "zustand";
import type { MachineStatus } from "#api/machine.ts";
import { useApp } from "#renderer/appcontext.ts";
import { engineUp } from "#renderer/core/machine.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { Routes } from "#renderer/routes.tsx";
import { Button } from "#renderer/ui/button.tsx";
import { ToastHost } from "#renderer/ui/toasts.tsx";
import { TooltipHost } from "#renderer/ui/tooltip.tsx";
import { AddEngine } from "#renderer/views/engines/addengine.tsx";
import { ShownStrip, SwitchQuestion } from "#renderer/views/engines/shownstrip.tsx";
import { RunDialog } from "#renderer/views/containers/rundialog.tsx";
import { ActivityDrawer } from "./activitydrawer.tsx";
import { PageBoundary } from "./boundary.tsx";
import { DiagnosticsDialog } from "./diagnostics.tsx";
import { DiskBanner } from "./diskbanner.tsx";
import { Footer } from "./footer.tsx";
import { useGlobalKeys } from "./keyboard.ts";
import { Palette } from "./palette.tsx";
import { RepairButton } from "./repairbutton.tsx";
import { ShortcutsDialog } from "./shortcuts.tsx";
import { Sidebar } from "./sidebar.tsx";

/** The window once the engine has been there: navigation, page, footer. */
export function Shell() {
  const [location, go] = useLocation();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const [adding, setAdding] = useState(false);
  const [running, setRunning] = useState<string>();
  useGlobalKeys({ go, help: () => setHelp(true), palette: () => setPalette(true) });
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-0 flex-1">
        <Sidebar onShortcuts={() => setHelp(true)} onPalette={() => setPalette(true)} />
        <main className="flex min-w-0 flex-1 flex-col">
          <ShownStrip />
          <EngineBanner />
          <DiskBanner />
          <PageBoundary place={location}>
            <Routes />
          </PageBoundary>
        </main>
        <ActivityDrawer />
      </div>
      <Footer />
      {palette && <Palette onRun={setRunning} onAddEngine={() => setAdding(true)} onClose={() => setPalette(false)} />}
      {adding && <AddEngine onClose={() => setAdding(false)} />}
      {running !== undefined && <RunDialog image={running} onClose={() => setRunning(undefined)} />}
      {help && <ShortcutsDialog onClose={() => setHelp(false)} />}
      <SwitchQuestion />
      <ToastHost />
      <TooltipHost />
    </div>
  );
}

const wordsOf = ({ message, hint, why, cause }: NonNullable<MachineStatus["error"]>): string =>
  why === undefined ? `${message}. ${cause === undefined ? (hint ?? "") : t.engines.causes[cause]}` : `${why.Verdict} ${why.Fix}`;

/** The engine is away: why, its last words, and the way back. Lists below stay as last read. */
function EngineBanner() {
  const { bridge, machine, shown } = useApp();
  const view = useStore(machine);
  const [diagnostics, setDiagnostics] = useState(false);
  if (engineUp(view)) return null;
  const phase = view.connected ? view.status?.phase : undefined;
  const title = shown !== undefined && phase === "failed" ? t.engines.notReached(shown.name) : phase === undefined ? t.engine.lost : t.engine[phase];
  const canRetry = phase === "stopped" || phase === "failed";
  const error = view.status?.error;
  const log = view.status?.logTail ?? [];
  return (
    <div role="alert" data-testid="engine-banner" className="flex shrink-0 items-start gap-3 border-b border-line bg-warn-soft px-4 py-2">
      <div className="min-w-0 flex-1">
        <p>
          <span className="font-medium">{title}.</span>{" "}
          <span className="selectable text-fg2 [overflow-wrap:anywhere]">{phase === "failed" && error !== undefined ? wordsOf(error) : t.engine.stale}</span>
        </p>
        {phase === "failed" && log.length > 0 && (
          <details className="text-sm">
            <summary className="w-fit rounded-sm text-fg2 hover:text-fg">{t.engine.logTail}</summary>
            <pre className="mt-1 max-h-40 overflow-auto rounded-md border border-line bg-page p-2 font-mono text-xs">{log.join("\n")}</pre>
          </details>
        )}
      </div>
      {view.connected && shown === undefined && (
        <Button small icon={Stethoscope} onClick={() => setDiagnostics(true)}>
          {t.diagnostics.title}
        </Button>
      )}
      {diagnostics && <DiagnosticsDialog onClose={() => setDiagnostics(false)} />}
      {canRetry && shown === undefined && <RepairButton small />}
      {canRetry && (
        <Button
          small
          variant="primary"
          icon={RotateCw}
          onClick={() => void bridge.call("machine.start").catch((e: unknown) => toastFailed(e, t.engine.failedTo.start))}
        >
          {phase === "failed" ? t.common.retry : shown === undefined ? t.engine.start : t.engine.connect}
        </Button>
      )}
    </div>
  );
}
