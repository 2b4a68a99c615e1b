import { Play, RotateCw, Square, Stethoscope } from "lucide-react";
import type { MachineStatus } from "#api/machine.ts";
import type { App } from "#renderer/core/app.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import type { MenuItem } from "#renderer/ui/menu.tsx";

/** What can be done with the machine in its present state. */
export function machineItems(app: App, status: MachineStatus | undefined, onDiagnostics: () => void): readonly MenuItem[] {
  const order = (name: "machine.start" | "machine.stop" | "machine.restart", words: string) => () => {
    app.bridge.call(name).catch((error: unknown) => toastFailed(error, words));
  };
  if (app.shown !== undefined) return [{ label: t.engine.reconnect, icon: RotateCw, onSelect: order("machine.restart", t.engine.failedTo.restart) }];
  const running = status?.phase === "running";
  const stopped = status?.phase === "stopped" || status?.phase === "failed";
  // An engine that somebody else runs is neither started nor stopped from here.
  const words = status?.driver === "remote" ? [t.engine.connect, t.engine.reconnect, t.engine.disconnect] : [t.engine.start, t.engine.restart, t.engine.stop];
  const [start = "", restart = "", stop = ""] = words;
  return [
    { label: start, icon: Play, disabled: !stopped, onSelect: order("machine.start", t.engine.failedTo.start) },
    { label: restart, icon: RotateCw, disabled: !running, onSelect: order("machine.restart", t.engine.failedTo.restart) },
    { label: stop, icon: Square, disabled: !running, onSelect: order("machine.stop", t.engine.failedTo.stop) },
    { kind: "line" },
    { label: t.diagnostics.open, icon: Stethoscope, onSelect: onDiagnostics },
  ];
}
