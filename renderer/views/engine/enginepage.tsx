import { useState } from "react";
import { useStore } from "zustand";
import { useApp } from "#renderer/appcontext.ts";
import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Page } from "#renderer/ui/page.tsx";
import { LogTail, Steps } from "#renderer/views/boot/steps.tsx";
import { DiagnosticsDialog } from "#renderer/views/shell/diagnostics.tsx";
import { machineItems } from "#renderer/views/shell/machineitems.ts";
import { DiskUse } from "./diskuse.tsx";
import { Erase } from "./erase.tsx";
import { MachineFigures } from "./figures.tsx";
import { Titled } from "./titled.tsx";

/** The engine and the machine it runs in: figures, where the disk's room goes and how to get it back, the last start. */
export function EnginePage() {
  const app = useApp();
  const { status, connected } = useStore(app.machine);
  const [diagnostics, setDiagnostics] = useState(false);
  const acts = machineItems(app, status, () => setDiagnostics(true)).filter((item) => "onSelect" in item);
  return (
    <Page
      title={t.enginePage.title}
      note={[t.engine.drivers[status?.driver ?? ""] ?? status?.driver, t.engine.accelerators[status?.accelerator ?? ""]].filter(Boolean).join(" · ")}
      actions={acts
        .filter(({ disabled }) => disabled !== true)
        .map(({ label, icon, onSelect }) => (
          <Button key={label} icon={icon} onClick={onSelect}>
            {label}
          </Button>
        ))}
    >
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-[1080px] flex-col gap-6 px-6 py-5">
          {status !== undefined && status.notices.length > 0 && (
            <ul className="flex flex-col gap-1 rounded-lg bg-warn-soft px-3 py-2.5">
              {status.notices.map((notice) => (
                <li key={notice}>{notice}</li>
              ))}
            </ul>
          )}
          <MachineFigures />
          <DiskUse />
          <Titled title={t.enginePage.steps}>
            <Steps status={status} connected={connected} />
            {status !== undefined && <LogTail lines={status.logTail} open={false} />}
          </Titled>
          {(status?.driver === "qemu" || status?.driver === "wsl2") && <Erase />}
        </div>
      </div>
      {diagnostics && <DiagnosticsDialog onClose={() => setDiagnostics(false)} />}
    </Page>
  );
}
