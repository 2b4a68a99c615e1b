import { join } from "node:path";
import { Menu, type MenuItemConstructorOptions, Tray } from "electron";
import type { MachinePhase } from "#api/machine.ts";
import type { RunningContainer } from "#host/happenings.ts";

/** Containers that the menu shows by name; the window shows the others. */
const listedMax = 15;

export interface TrayActs {
  /** The window, at a container's page when one is named. */
  open(container?: string): void;
  start(): void;
  stop(): void;
  stopContainer(id: string): void;
  readonly startsAtLogin: boolean;
  setStartsAtLogin(on: boolean): void;
  quit(): void;
}

export interface Shown {
  readonly phase: MachinePhase;
  readonly running: readonly RunningContainer[];
}

const words: Readonly<Record<MachinePhase, string>> = {
  stopped: "The engine is stopped",
  starting: "The engine is starting",
  running: "The engine is running",
  stopping: "The engine is stopping",
  failed: "The engine has failed",
};

/** The icon in the tray. Many Linux desktops pass no clicks on: everything is in its menu. Undefined where there is no tray. */
export function createTray(icons: string, acts: TrayActs, first: Shown): { show(shown: Shown): void; remove(): void } | undefined {
  let tray: Tray;
  try {
    tray = new Tray(join(icons, iconFor(process.platform)));
  } catch {
    return undefined;
  }
  const show = (shown: Shown): void => {
    tray.setToolTip(`Slipway: ${words[shown.phase]}`);
    tray.setContextMenu(Menu.buildFromTemplate(trayMenu(shown, acts)));
  };
  tray.on("click", () => acts.open());
  show(first);
  return { show, remove: () => tray.destroy() };
}

/** macOS colours template images itself (and finds the @2x beside it), Windows wants an .ico. */
export const iconFor = (platform: NodeJS.Platform): string => ({ darwin: "trayTemplate.png", win32: "tray.ico" })[platform as string] ?? "tray.png";

export const trayMenu = ({ phase, running }: Shown, acts: TrayActs): MenuItemConstructorOptions[] => [
  { label: words[phase], enabled: false },
  { label: "Open Slipway", click: () => acts.open() },
  { type: "separator" },
  ...running.slice(0, listedMax).map(({ id, name }) => ({
    label: name,
    submenu: [
      { label: "Open", click: () => acts.open(id) },
      { label: "Stop", click: () => acts.stopContainer(id) },
    ],
  })),
  ...(running.length > listedMax ? [{ label: `${running.length - listedMax} more…`, click: () => acts.open() }] : []),
  ...(running.length > 0 ? [{ type: "separator" } as const] : []),
  { label: "Start the engine", enabled: phase === "stopped" || phase === "failed", click: () => acts.start() },
  { label: "Stop the engine", enabled: phase === "running" || phase === "starting", click: () => acts.stop() },
  { type: "separator" },
  { label: "Start at login", type: "checkbox", checked: acts.startsAtLogin, click: ({ checked }) => acts.setStartsAtLogin(checked) },
  { label: "Quit Slipway", click: () => acts.quit() },
];
