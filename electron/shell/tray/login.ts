import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { app } from "electron";

/** Whether Slipway starts with the person's session. Electron knows how on macOS and Windows; on Linux a desktop entry does it. */
export const startsAtLogin = (): boolean => (process.platform === "linux" ? existsSync(entryPath()) : app.getLoginItemSettings(identity()).openAtLogin);

export function setStartsAtLogin(on: boolean): void {
  if (process.platform !== "linux") return app.setLoginItemSettings({ openAtLogin: on, ...identity() });
  if (!on) return rmSync(entryPath(), { force: true });
  mkdirSync(dirname(entryPath()), { recursive: true });
  writeFileSync(entryPath(), desktopEntry(process.execPath));
}

const identity = (): { readonly type?: "mainAppService"; readonly args?: string[] } =>
  process.platform === "darwin" ? { type: "mainAppService" } : { args: ["--hidden"] };

const entryPath = (): string => join(app.getPath("appData"), "autostart", "slipway.desktop");

/** The program's path is quoted as the desktop entry specification asks. */
export const desktopEntry = (program: string): string =>
  `[Desktop Entry]\nType=Application\nName=Slipway\nExec="${program
    .replace(/[\\"`$]/g, String.raw`\$&`)
    .replaceAll("\\", "\\\\")
    .replaceAll("%", "%%")}" --hidden\nX-GNOME-Autostart-enabled=true\n`;
