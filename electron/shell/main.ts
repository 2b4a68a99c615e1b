import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { homedir } from "node:os";
import { parseArgs } from "node:util";
import { type BrowserWindow, Menu, app, crashReporter, dialog, nativeTheme, powerMonitor, protocol, screen, session } from "electron";
import { type LanguageChoice, languageOf } from "#bridge/language.ts";
import { defaultRoot, hostPaths } from "#host/paths.ts";
import { linkIn, routeOf } from "./links.ts";
import { applicationMenu } from "./menu/menu.ts";
import { HostProcess } from "./process/keeper.ts";
import { type ShellTexts, shellTexts } from "./texts.ts";
import { setStartsAtLogin, startsAtLogin } from "./tray/login.ts";
import type { ShellSettings } from "./process/messages.ts";
import { notify } from "./tray/notify.ts";
import { type Shown, type TrayActs, createTray } from "./tray/tray.ts";
import { readBounds, writeBounds } from "./windows/bounds.ts";
import { createWindow } from "./windows/factory.ts";
import { guardContents, guardSession } from "./windows/guard.ts";
import { servePorts } from "./windows/ports.ts";
import { appPage, registerScheme, serveScheme } from "./windows/scheme.ts";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { root: { type: "string" }, engine: { type: "string" }, driver: { type: "string" }, hidden: { type: "boolean", default: false } },
  strict: false,
  allowPositionals: true,
});
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const root = resolve(text(values["root"]) ?? process.env["SLIPWAY_ROOT"] ?? defaultRoot({ platform: process.platform, home: homedir(), env: process.env }));
const paths = hostPaths(root);

app.enableSandbox();
// Otherwise what a shell answers to a keystroke waits until the frame after it: 17 ms more for each echo.
app.commandLine.appendSwitch("disable-features", "DeferRendererTasksAfterInput");
registerScheme();
guardContents(app);
crashReporter.start({ uploadToServer: false });
app.setAppUserModelId("dev.slipway.desktop");
app.setAsDefaultProtocolClient("slipway");
if (app.requestSingleInstanceLock()) void app.whenReady().then(run);
else app.quit();

function run(): void {
  guardSession(session.defaultSession);
  serveScheme(protocol, join(here, "..", "renderer"));
  let texts = textsIn("system");
  const putMenu = (): void =>
    Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu({ platform: process.platform, packaged: app.isPackaged, view: texts.view })));
  putMenu();
  const host = new HostProcess({
    program: join(here, "host.js"),
    args: {
      root,
      engine: text(values["engine"]),
      driver: text(values["driver"]),
      imagesDirectory: app.isPackaged ? join(process.resourcesPath, "image") : join(here, "..", "..", "runtime-vm", "image", "out"),
      version: app.getVersion(),
    },
    logs: paths.logs,
  });
  servePorts((port) => host.connect(port));

  let window: BrowserWindow | undefined;
  let quitting: "no" | "draining" | "done" = "no";
  const show = (route = ""): void => {
    if (window === undefined) window = openWindow(route);
    else {
      if (route !== "") void window.loadURL(appPage + route);
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    }
  };
  const trayActs: TrayActs = {
    open: (container) => show(container === undefined ? "" : `#/containers/${container}`),
    start: () => host.tell({ kind: "start" }),
    stop: () => host.tell({ kind: "stop" }),
    get startsAtLogin() {
      return startsAtLogin();
    },
    setStartsAtLogin,
    stopContainer: (id) => host.tell({ kind: "stopContainer", id }),
    quit: () => app.quit(),
  };
  let shown: Shown = { phase: "stopped", running: [], texts };
  let settings: ShellSettings | undefined;
  const putTray = (): ReturnType<typeof createTray> => createTray(join(here, "..", "..", "assets", "icons"), trayActs, shown);
  let tray = putTray();
  const showInTray = (change: Partial<Shown>): void => {
    shown = { ...shown, ...change };
    tray?.show(shown);
  };
  const follow = (next: ShellSettings): void => {
    settings = next;
    nativeTheme.themeSource = next.theme;
    const spoken = textsIn(next.language);
    if (spoken !== texts) {
      texts = spoken;
      putMenu();
      showInTray({ texts });
    }
    if (next.tray) tray ??= putTray();
    else {
      tray?.remove();
      tray = undefined;
      // Nothing is left that would bring back a hidden window.
      if (window?.isVisible() !== true) show();
    }
  };
  function openWindow(route: string): BrowserWindow {
    const { maximized, ...bounds } = readBounds(paths.window, screen.getAllDisplays());
    const opened = createWindow(join(here, "preload.cjs"), bounds);
    if (maximized === true) opened.maximize();
    opened.on("close", (event) => {
      writeBounds(paths.window, { ...opened.getNormalBounds(), maximized: opened.isMaximized() });
      // Into the tray, where there is one to come back from.
      if (quitting !== "no") return;
      if (tray !== undefined && settings?.onClose !== "quit") {
        event.preventDefault();
        opened.hide();
      } else if (settings?.onClose === "quit") app.quit();
    });
    opened.on("closed", () => (window = undefined));
    opened.webContents.on("render-process-gone", (_event, { reason }) => void offerReload(opened, texts, reason));
    void opened.loadURL(appPage + route);
    return opened;
  }

  host.onMessage((message) => {
    switch (message.kind) {
      case "machine":
        if (message.phase !== shown.phase) showInTray({ phase: message.phase });
        break;
      case "settings":
        follow(message.settings);
        break;
      case "containers":
        showInTray({ running: message.running });
        break;
      case "happened":
        if (window?.isFocused() !== true && settings !== undefined) notify(message.happening, texts, settings, trayActs.open);
        break;
      case "failed":
        dialog.showErrorBox(texts.cannotStart, message.message);
        app.exit(1);
    }
  });
  app.on("second-instance", (_event, argv) => show(routeOf(linkIn(argv) ?? "")));
  app.on("open-url", (event, link) => {
    event.preventDefault();
    show(routeOf(link));
  });
  app.on("activate", () => show());
  app.on("window-all-closed", () => {
    if (tray === undefined) app.quit();
  });
  app.on("before-quit", (event) => {
    if (quitting === "done") return;
    event.preventDefault();
    if (quitting === "draining") return;
    quitting = "draining";
    void host.quit().finally(() => {
      quitting = "done";
      app.quit();
    });
  });
  // A computer that is shut down waits while containers end in order, where its system allows that.
  powerMonitor.on("shutdown", (event?: { preventDefault(): void }) => {
    event?.preventDefault();
    app.quit();
  });
  if (values["hidden"] !== true || tray === undefined) show(routeOf(linkIn(process.argv) ?? ""));
}

const textsIn = (choice: LanguageChoice): ShellTexts => shellTexts[languageOf(choice, app.getPreferredSystemLanguages())];

/** A page that crashed is drawn again: it holds nothing that the engine lacks. */
async function offerReload(window: BrowserWindow, texts: ShellTexts, reason: string): Promise<void> {
  if (reason === "clean-exit" || window.isDestroyed()) return;
  const { response } = await dialog.showMessageBox(window, {
    message: texts.pageEnded,
    detail: texts.pageEndedWhy(reason),
    buttons: [texts.reload, texts.close],
  });
  if (response === 0) window.reload();
  else window.destroy();
}
