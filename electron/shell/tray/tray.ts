import { join } from "node:path";
import { Menu, type MenuItemConstructorOptions, Tray } from "electron";
import type { MachinePhase } from "#api/machine.ts";
import type { RunningContainer } from "#host/happenings.ts";
import type { ShellTexts } from "../texts.ts";

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
  readonly texts: ShellTexts;
}

/** The icon in the tray. Many Linux desktops pass no clicks on: everything is in its menu. Undefined where there is no tray. */
export function createTray(icons: string, acts: TrayActs, first: Shown): { show(shown: Shown): void; remove(): void } | undefined {
  let tray: Tray;
  try {
    tray = new Tray(join(icons, iconFor(process.platform)));
  } catch {
    return undefined;
  }
  const show = (shown: Shown): void => {
    tray.setToolTip(`Slipway: ${shown.texts.engine[shown.phase]}`);
    tray.setContextMenu(Menu.buildFromTemplate(trayMenu(shown, acts)));
  };
  tray.on("click", () => acts.open());
  show(first);
  return { show, remove: () => tray.destroy() };
}

/** macOS colours template images itself (and finds the @2x beside it), Windows wants an .ico. */
export const iconFor = (platform: NodeJS.Platform): string => ({ darwin: "trayTemplate.png", win32: "tray.ico" })[platform as string] ?? "tray.png";

export const trayMenu = ({ phase, running, texts }: Shown, acts: TrayActs): MenuItemConstructorOptions[] => [
  { label: texts.engine[phase], enabled: false },
  { label: texts.openWindow, click: () => acts.open() },
  { type: "separator" },
  ...running.slice(0, listedMax).map(({ id, name }) => ({
    label: name,
    submenu: [
      { label: texts.open, click: () => acts.open(id) },
      { label: texts.stop, click: () => acts.stopContainer(id) },
    ],
  })),
  ...(running.length > listedMax ? [{ label: texts.more(running.length - listedMax), click: () => acts.open() }] : []),
  ...(running.length > 0 ? [{ type: "separator" } as const] : []),
  { label: texts.startEngine, enabled: phase === "stopped" || phase === "failed", click: () => acts.start() },
  { label: texts.stopEngine, enabled: phase === "running" || phase === "starting", click: () => acts.stop() },
  { type: "separator" },
  { label: texts.startAtLogin, type: "checkbox", checked: acts.startsAtLogin, click: ({ checked }) => acts.setStartsAtLogin(checked) },
  { label: texts.quit, click: () => acts.quit() },
];
