import { join } from "node:path";
import { Menu, type MenuItemConstructorOptions, Tray } from "electron";
import type { MachinePhase } from "#api/machine.ts";

export interface TrayActs {
  open(): void;
  start(): void;
  stop(): void;
  readonly startsAtLogin: boolean;
  setStartsAtLogin(on: boolean): void;
  quit(): void;
}

const words: Readonly<Record<MachinePhase, string>> = {
  stopped: "The engine is stopped",
  starting: "The engine is starting",
  running: "The engine is running",
  stopping: "The engine is stopping",
  failed: "The engine has failed",
};

/** The icon in the tray. Many Linux desktops pass no clicks on: everything is in its menu. Undefined where there is no tray. */
export function createTray(icons: string, acts: TrayActs): { show(phase: MachinePhase): void } | undefined {
  let tray: Tray;
  try {
    tray = new Tray(join(icons, iconFor(process.platform)));
  } catch {
    return undefined;
  }
  const show = (phase: MachinePhase): void => {
    tray.setToolTip(`Slipway: ${words[phase]}`);
    tray.setContextMenu(Menu.buildFromTemplate(trayMenu(phase, acts)));
  };
  tray.on("click", () => acts.open());
  show("stopped");
  return { show };
}

/** macOS colours template images itself (and finds the @2x beside it), Windows wants an .ico. */
export const iconFor = (platform: NodeJS.Platform): string => ({ darwin: "trayTemplate.png", win32: "tray.ico" })[platform as string] ?? "tray.png";

export const trayMenu = (phase: MachinePhase, acts: TrayActs): MenuItemConstructorOptions[] => [
  { label: words[phase], enabled: false },
  { label: "Open Slipway", click: () => acts.open() },
  { type: "separator" },
  { label: "Start the engine", enabled: phase === "stopped" || phase === "failed", click: () => acts.start() },
  { label: "Stop the engine", enabled: phase === "running" || phase === "starting", click: () => acts.stop() },
  { type: "separator" },
  { label: "Start at login", type: "checkbox", checked: acts.startsAtLogin, click: ({ checked }) => acts.setStartsAtLogin(checked) },
  { label: "Quit Slipway", click: () => acts.quit() },
];
