import { ArrowDownToLine, CircleAlert, CircleCheck, CirclePause, Cpu, HardDrive, ListTree, type LucideIcon, MemoryStick, PlugZap } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useStore } from "zustand";
import type { MachineStatus } from "#api/machine.ts";
import { useApp } from "#renderer/appcontext.ts";
import { memory, percent, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { useEngineInfo, useHostInfo } from "#renderer/queries.ts";
import { cx } from "#renderer/ui/cx.ts";
import { Menu } from "#renderer/ui/menu.tsx";
import { Spinner } from "#renderer/ui/spinner.tsx";
import { EnginePicker } from "#renderer/views/engines/picker.tsx";
import { DiagnosticsDialog } from "./diagnostics.tsx";
import { machineItems } from "./machineitems.ts";
import { TransfersPopover } from "./transferspopover.tsx";

interface Look {
  readonly word: string;
  readonly icon: LucideIcon | "busy";
  readonly color: string;
}

function lookOf(status: MachineStatus | undefined, connected: boolean): Look {
  if (!connected) return { word: t.engine.lost, icon: PlugZap, color: "text-danger-text" };
  if (status === undefined) return { word: t.engine.connecting, icon: "busy", color: "text-fg2" };
  const looks: Record<MachineStatus["phase"], Look> = {
    running: { word: t.engine.running, icon: CircleCheck, color: "text-ok-text" },
    starting: { word: t.engine.starting, icon: "busy", color: "text-accent-text" },
    stopping: { word: t.engine.stopping, icon: "busy", color: "text-accent-text" },
    stopped: { word: t.engine.stopped, icon: CirclePause, color: "text-fg2" },
    failed: { word: t.engine.failed, icon: CircleAlert, color: "text-danger-text" },
  };
  return looks[status.phase];
}

export function Footer() {
  const app = useApp();
  const { status, connected } = useStore(app.machine);
  const info = useEngineInfo().data;
  const host = useHostInfo().data;
  const [menu, setMenu] = useState<{ x: number; y: number }>();
  const [diagnostics, setDiagnostics] = useState(false);
  const look = lookOf(status, connected);
  const usage = status?.phase === "running" ? status.usage : undefined;
  return (
    <footer className="flex h-7 shrink-0 items-center gap-1 border-t border-line bg-side px-2 text-sm text-fg2">
      <button
        type="button"
        data-testid="engine-state"
        aria-haspopup="menu"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setMenu({ x: box.left, y: box.top - 4 });
        }}
        className="flex h-5 items-center gap-1.5 rounded-sm px-1.5 font-medium hover:bg-hover"
      >
        <span className={cx("flex", look.color)}>{look.icon === "busy" ? <Spinner size={13} /> : <look.icon size={13} strokeWidth={2.2} aria-hidden />}</span>
        <span role="status" className="text-fg">
          {look.word}
        </span>
      </button>
      <EnginePicker />
      {status !== undefined && app.shown === undefined && (
        <Item className="max-[860px]:hidden" tip={status.notices.join("\n")}>
          {[t.engine.drivers[status.driver] ?? status.driver, t.engine.accelerators[status.accelerator]].filter(Boolean).join(" · ")}
          {status.notices.length > 0 && <CircleAlert size={12} aria-label={status.notices.join(" ")} className="text-warn-text" />}
        </Item>
      )}
      {usage !== undefined && (
        <>
          <Item testId="vm-cpu">
            <Cpu size={12} aria-hidden /> {t.engine.cpu} <span className="tabular text-fg">{percent(usage.cpuPercent ?? Number.NaN)}</span>
          </Item>
          <Item testId="vm-memory">
            <MemoryStick size={12} aria-hidden /> {t.engine.memory}{" "}
            <span className="tabular text-fg">
              {memory(usage.memoryBytes)} / {memory(usage.memoryTotalBytes)}
            </span>
          </Item>
          {usage.diskBytes !== undefined && (
            <Item testId="vm-disk" tip={t.engine.diskTip} className="max-[1000px]:hidden">
              <HardDrive size={12} aria-hidden /> {t.engine.disk} <span className="tabular text-fg">{size(usage.diskBytes)}</span>
            </Item>
          )}
        </>
      )}
      <div className="ml-auto flex items-center gap-1">
        <ActivityButton />
        <TransfersButton />
        {info !== undefined && <Item>{`${t.settings.engine} ${info.ServerVersion}`}</Item>}
        {host !== undefined && (
          <Item {...(host.modeReason !== undefined && { tip: host.modeReason })}>
            {t.app} {host.version}
          </Item>
        )}
      </div>
      {menu !== undefined && (
        <Menu label={look.word} items={machineItems(app, status, () => setDiagnostics(true))} at={menu} onClose={() => setMenu(undefined)} />
      )}
      {diagnostics && <DiagnosticsDialog onClose={() => setDiagnostics(false)} />}
    </footer>
  );
}

interface ItemProps {
  readonly children: ReactNode;
  readonly tip?: string;
  readonly testId?: string;
  readonly className?: string;
}

const Item = ({ children, tip, testId, className }: ItemProps) => (
  <span data-tip={tip === "" ? undefined : tip} data-testid={testId} className={cx("flex h-5 items-center gap-1 px-1.5 whitespace-nowrap", className)}>
    {children}
  </span>
);

function ActivityButton() {
  const { activity } = useApp();
  const open = useStore(activity.store, (state) => state.open);
  return (
    <button
      type="button"
      data-testid="activity-button"
      data-tip={t.activity.tip}
      aria-expanded={open}
      onClick={() => activity.toggle()}
      className="flex h-5 items-center gap-1.5 rounded-sm px-1.5 hover:bg-hover hover:text-fg"
    >
      <ListTree size={12} aria-hidden /> {t.activity.title}
    </button>
  );
}

function TransfersButton() {
  const list = useStore(useApp().transfers.store, (state) => state.list);
  const [open, setOpen] = useState(false);
  if (list.length === 0) return null;
  const running = list.filter(({ state }) => state.kind === "running").length;
  return (
    <>
      <button
        type="button"
        data-testid="transfers"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex h-5 items-center gap-1.5 rounded-sm px-1.5 hover:bg-hover hover:text-fg"
      >
        {running > 0 ? <Spinner size={12} className="text-accent-text" /> : <ArrowDownToLine size={12} aria-hidden />}
        {running > 0 ? t.transfers.running(running) : t.transfers.title}
      </button>
      {open && <TransfersPopover onClose={() => setOpen(false)} />}
    </>
  );
}
