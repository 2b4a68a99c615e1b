import { BrowserWindow, type BrowserWindowConstructorOptions } from "electron";

/** The one place where windows are made: every page is sandboxed, isolated, and speaks to us through its preload alone. */
export function createWindow(preload: string, own: Omit<BrowserWindowConstructorOptions, "webPreferences">): BrowserWindow {
  const window = new BrowserWindow({
    minWidth: 720,
    minHeight: 480,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: "#00000000",
    ...own,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  return window;
}
