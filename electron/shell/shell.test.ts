import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserWindowConstructorOptions, MenuItemConstructorOptions, Rectangle } from "electron";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contentSecurityPolicy } from "#bridge/policy.ts";

// The one fake the project allows: Electron's module, since its binary cannot be had everywhere. Typed by the real one
// where our code touches it.
type Listener = (...args: never[]) => unknown;
const electron = vi.hoisted(() => {
  const state = {
    windows: [] as BrowserWindowConstructorOptions[],
    external: [] as string[],
    privileged: [] as unknown[],
    ipc: new Map<string, Listener>(),
    children: [] as { program: string; args: string[]; options: Record<string, unknown>; told: unknown[]; listeners: Map<string, Listener>; killed: boolean }[],
    login: [] as unknown[],
    appData: "",
    trayFails: false,
    notified: [] as { title: string; body: string; click: (() => void) | undefined }[],
  };
  class BrowserWindow {
    constructor(options: BrowserWindowConstructorOptions) {
      state.windows.push(options);
    }
    once(): void {}
  }
  class Tray {
    constructor() {
      if (state.trayFails) throw new Error("no tray here");
    }
    setToolTip(): void {}
    setContextMenu(): void {}
    on(): void {}
  }
  class Notification {
    static isSupported = (): boolean => true;
    readonly #shown: (typeof state.notified)[number];
    constructor({ title, body }: { title: string; body: string }) {
      this.#shown = { title, body, click: undefined };
    }
    on(_name: string, click: () => void): void {
      this.#shown.click = click;
    }
    show(): void {
      state.notified.push(this.#shown);
    }
  }
  class MessageChannelMain {
    port1 = { name: "host's end", close: () => undefined };
    port2 = { name: "page's end" };
  }
  const fork = (program: string, args: string[], options: Record<string, unknown>) => {
    const child = { program, args, options, told: [] as unknown[], listeners: new Map<string, Listener>(), killed: false };
    state.children.push(child);
    const on = (name: string, listener: Listener): void => void child.listeners.set(name, listener);
    return { on, once: on, postMessage: (message: unknown) => child.told.push(message), kill: () => (child.killed = true), stdout: null, stderr: null };
  };
  const module = {
    BrowserWindow,
    Tray,
    Notification,
    MessageChannelMain,
    Menu: { buildFromTemplate: (template: unknown) => template },
    shell: { openExternal: async (url: string) => void state.external.push(url) },
    protocol: { registerSchemesAsPrivileged: (schemes: unknown[]) => state.privileged.push(...schemes) },
    ipcMain: { on: (channel: string, listener: Listener) => state.ipc.set(channel, listener) },
    utilityProcess: { fork },
    app: {
      getPath: () => state.appData,
      getLoginItemSettings: () => ({ openAtLogin: false }),
      setLoginItemSettings: (settings: unknown) => state.login.push(settings),
    },
  };
  return { state, module };
});
vi.mock("electron", () => electron.module);
const { state } = electron;

const { createWindow } = await import("./windows/factory.ts");
const { guardContents, guardSession, openExternal } = await import("./windows/guard.ts");
const { registerScheme, serveScheme } = await import("./windows/scheme.ts");
const { servePorts } = await import("./windows/ports.ts");
const { readBounds, writeBounds } = await import("./windows/bounds.ts");
const { HostProcess, scrubbed } = await import("./process/keeper.ts");
const { createTray, iconFor, trayMenu } = await import("./tray/tray.ts");
const { notify } = await import("./tray/notify.ts");
const { desktopEntry, setStartsAtLogin, startsAtLogin } = await import("./tray/login.ts");
const { applicationMenu } = await import("./menu/menu.ts");
const { shellTexts } = await import("./texts.ts");
const { linkIn, routeOf } = await import("./links.ts");

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-shell-"));
  state.appData = dir;
  for (const list of [state.windows, state.external, state.privileged, state.children, state.login]) list.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

test("every window is sandboxed and isolated, with an absolute CommonJS preload, whatever else it asks for", () => {
  createWindow("/app/preload.cjs", { width: 100, height: 100 });
  expect(state.windows[0]).toMatchObject({ width: 100, show: false });
  expect(state.windows[0]?.webPreferences).toEqual({
    preload: "/app/preload.cjs",
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
    webSecurity: true,
    navigateOnDragDrop: false,
    spellcheck: false,
  });
});

test("the app's scheme has an origin's rights and no exception from the policy", () => {
  registerScheme();
  expect(state.privileged).toEqual([{ scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
});

test("the scheme serves the built window with its policy, and nothing outside it", async () => {
  mkdirSync(join(dir, "site", "assets"), { recursive: true });
  writeFileSync(join(dir, "site", "index.html"), "page");
  writeFileSync(join(dir, "site", "assets", "a b.js"), "script");
  writeFileSync(join(dir, "secret"), "outside");
  let handler: ((request: { url: string }) => Promise<Response>) | undefined;
  serveScheme({ handle: (_scheme: string, own: typeof handler) => (handler = own) } as unknown as Parameters<typeof serveScheme>[0], join(dir, "site"));
  const get = async (url: string): Promise<Response> => (await handler?.({ url })) as Response;
  const page = await get("app://slipway/");
  expect([page.status, await page.text()]).toEqual([200, "page"]);
  expect(page.headers.get("content-security-policy")).toBe(contentSecurityPolicy);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect((await get("app://slipway/assets/a%20b.js")).headers.get("content-type")).toContain("javascript");
  for (const url of [
    "app://slipway/../secret",
    "app://slipway/%2e%2e/secret",
    "app://slipway/..%2fsecret",
    "app://slipway/..%5csecret",
    "app://slipway/%",
    "app://other/index.html",
    "app://slipway/assets",
  ])
    expect((await get(url)).status, url).toBe(404);
});

test("sources have one way out to other programs, and no remote module", () => {
  const area = join(import.meta.dirname, "..");
  const sources = readdirSync(area, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|mjs)$/.test(name) && !name.endsWith(".test.ts"));
  const holding = (text: string): string[] => sources.filter((name) => readFileSync(join(area, name), "utf8").includes(text));
  expect(holding("shell.openExternal(")).toEqual([join("shell", "windows", "guard.ts")]);
  expect(holding("new BrowserWindow(")).toEqual([join("shell", "windows", "factory.ts")]);
  expect(holding("@electron/remote")).toEqual([]);
});

test.each([
  ["https://docs.example/x", true],
  ["mailto:a@b.example", true],
  ["http://localhost:8080/", true],
  ["http://127.0.0.1:8080/", true],
  ["http://example.org/", false],
  ["http://localhost.evil.example/", false],
  ["file:///etc/passwd", false],
  ["javascript:alert(1)", false],
  ["ms-msdt:/id", false],
  ["no address", false],
])("opening %s outside is allowed: %s", (url, allowed) => {
  expect(openExternal(url)).toBe(allowed);
  expect(state.external).toHaveLength(allowed ? 1 : 0);
});

test("a page cannot leave our origin, open a window, or embed a webview", () => {
  let created: ((event: unknown, contents: unknown) => void) | undefined;
  guardContents({ on: (_name: string, listener: typeof created) => (created = listener) } as unknown as Parameters<typeof guardContents>[0]);
  const listeners = new Map<string, (event: { url: string; preventDefault(): void }) => void>();
  let openHandler: ((details: { url: string }) => unknown) | undefined;
  created?.(
    {},
    { on: (name: string, listener: never) => listeners.set(name, listener), setWindowOpenHandler: (own: typeof openHandler) => (openHandler = own) },
  );
  const prevented = (name: string, url: string): boolean => {
    let did = false;
    listeners.get(name)?.({ url, preventDefault: () => (did = true) });
    return did;
  };
  for (const name of ["will-navigate", "will-frame-navigate", "will-redirect"]) {
    expect(prevented(name, "https://evil.example/")).toBe(true);
    expect(prevented(name, "app://slipway.evil/")).toBe(true);
    expect(prevented(name, "app://slipway/index.html#/images")).toBe(false);
  }
  expect(prevented("will-attach-webview", "app://slipway/")).toBe(true);
  expect(openHandler?.({ url: "https://docs.example/" })).toEqual({ action: "deny" });
  expect(openHandler?.({ url: "file:///etc/passwd" })).toEqual({ action: "deny" });
  expect(state.external).toEqual(["https://docs.example/"]);
});

test("a page may write to the clipboard and notify, nothing else", () => {
  const handlers: { request?: (c: unknown, p: string, a: (ok: boolean) => void) => void; check?: (c: unknown, p: string) => boolean; device?: () => boolean } =
    {};
  guardSession({
    setPermissionRequestHandler: (own: never) => (handlers.request = own),
    setPermissionCheckHandler: (own: never) => (handlers.check = own),
    setDevicePermissionHandler: (own: never) => (handlers.device = own),
  } as unknown as Parameters<typeof guardSession>[0]);
  const asked = (permission: string): boolean => {
    let answer = false;
    handlers.request?.(null, permission, (ok) => (answer = ok));
    return answer;
  };
  expect(["clipboard-sanitized-write", "notifications", "clipboard-read", "media", "geolocation", "usb"].filter(asked)).toEqual([
    "clipboard-sanitized-write",
    "notifications",
  ]);
  expect(handlers.check?.(null, "media")).toBe(false);
  expect(handlers.device?.()).toBe(false);
});

test("only the main frame of a page of ours gets a port", () => {
  const given: unknown[] = [];
  const sent: unknown[] = [];
  servePorts((port) => given.push(port));
  const ask = state.ipc.get("slipway.port") as unknown as (event: unknown, id: unknown) => void;
  const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const mainFrame = { url: "app://slipway/index.html" };
  const sender = { mainFrame, postMessage: (...message: unknown[]) => sent.push(message) };
  ask({ sender, senderFrame: null }, id);
  ask({ sender, senderFrame: { url: "app://slipway/index.html" } }, id);
  ask({ sender: { ...sender, mainFrame: { url: "https://evil.example/" } }, senderFrame: { url: "https://evil.example/" } }, id);
  const foreign = { url: "https://evil.example/" };
  ask({ sender: { ...sender, mainFrame: foreign }, senderFrame: foreign }, id);
  ask({ sender, senderFrame: mainFrame }, "not an id");
  ask({ sender, senderFrame: mainFrame }, { toString: () => id });
  expect(given).toEqual([]);
  ask({ sender, senderFrame: mainFrame }, id);
  expect(given).toMatchObject([{ name: "host's end" }]);
  expect(sent).toEqual([["slipway.port", id, [{ name: "page's end" }]]]);
});

const displays: { workArea: Rectangle }[] = [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }];
test("a window comes back to its place, unless that display is gone or the file is broken", () => {
  const path = join(dir, "window.json");
  expect(readBounds(path, displays)).toEqual({ width: 1200, height: 800 });
  const bounds = { x: 100, y: 50, width: 900, height: 700, maximized: true };
  writeBounds(path, bounds);
  expect(readBounds(path, displays)).toEqual(bounds);
  writeBounds(path, { ...bounds, x: 2000 });
  expect(readBounds(path, displays)).toEqual({ width: 1200, height: 800 });
  writeBounds(path, { ...bounds, x: 1900 });
  expect(readBounds(path, displays)).toEqual({ width: 1200, height: 800 });
  writeFileSync(path, '{"x":"left"}');
  expect(readBounds(path, displays)).toEqual({ width: 1200, height: 800 });
});

const hostOptions = (): ConstructorParameters<typeof HostProcess>[0] => ({
  program: "/app/host.js",
  args: { imagesDirectory: "/img", version: "1" },
  logs: join(dir, "logs"),
});
const child = (index: number) => state.children[index] as (typeof state.children)[number];
const exit = (index: number, code: number): void => (child(index).listeners.get("exit") as ((code: number) => void) | undefined)?.(code);

test("the host core's process has a name, no inherited output, and an environment without loaders' hooks", () => {
  new HostProcess(hostOptions());
  expect(child(0).options).toMatchObject({ serviceName: "Slipway host core", stdio: ["ignore", "pipe", "pipe"], allowLoadingUnsignedLibraries: false });
  expect(JSON.parse(child(0).args[0] ?? "")).toEqual({ imagesDirectory: "/img", version: "1" });
  const env = scrubbed({
    PATH: "/bin",
    DOCKER_CONFIG: "/d",
    NODE_OPTIONS: "--require x",
    ELECTRON_RUN_AS_NODE: "1",
    LD_PRELOAD: "x.so",
    DYLD_INSERT_LIBRARIES: "x",
    AWS_SECRET_ACCESS_KEY: "s",
  });
  expect(env).toEqual({ PATH: "/bin", DOCKER_CONFIG: "/d" });
});

test("a host core that dies is started again with growing pauses, and pages hear of it", () => {
  vi.useFakeTimers();
  const host = new HostProcess(hostOptions());
  const heard: unknown[] = [];
  host.onMessage((message) => heard.push(message));
  exit(0, 7);
  expect(heard).toMatchObject([{ kind: "machine", phase: "failed" }]);
  let closed = 0;
  host.connect({ close: () => (closed += 1) } as never);
  expect(closed).toBe(1);
  vi.advanceTimersByTime(999);
  expect(state.children).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(state.children).toHaveLength(2);
  exit(1, 7);
  vi.advanceTimersByTime(1_999);
  expect(state.children).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(state.children).toHaveLength(3);
});

test("quitting asks the host core to end, waits, does not start it again, and kills it when it never ends", async () => {
  vi.useFakeTimers();
  const host = new HostProcess(hostOptions());
  let left = false;
  const quit = host.quit().then(() => (left = true));
  expect(child(0).told).toEqual([{ kind: "quit" }]);
  await vi.advanceTimersByTimeAsync(149_999);
  expect([left, child(0).killed]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(1);
  expect(child(0).killed).toBe(true);
  exit(0, 0);
  await quit;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.children).toHaveLength(1);
});

const texts = shellTexts.en;
const opened: (string | undefined)[] = [];
const stopped: string[] = [];
const acts = {
  open: (container?: string) => void opened.push(container),
  stopContainer: (id: string) => void stopped.push(id),
  start: () => undefined,
  stop: () => undefined,
  startsAtLogin: false,
  setStartsAtLogin: () => undefined,
  quit: () => undefined,
};
const enabled = (menu: MenuItemConstructorOptions[], label: string): boolean => menu.find((item) => item.label === label)?.enabled !== false;

test("the tray's menu offers what the machine's state allows, and everything without a click on the icon", () => {
  expect(enabled(trayMenu({ phase: "running", running: [], texts }, acts), "Start the engine")).toBe(false);
  expect(enabled(trayMenu({ phase: "running", running: [], texts }, acts), "Stop the engine")).toBe(true);
  expect(enabled(trayMenu({ phase: "failed", running: [], texts }, acts), "Start the engine")).toBe(true);
  expect(enabled(trayMenu({ phase: "stopping", running: [], texts }, acts), "Stop the engine")).toBe(false);
  expect(trayMenu({ phase: "stopped", running: [], texts }, acts).map((item) => item.label ?? "-")).toEqual(
    expect.arrayContaining(["Open Slipway", "Start at login", "Quit Slipway"]),
  );
  expect([iconFor("darwin"), iconFor("win32"), iconFor("linux")]).toEqual(["trayTemplate.png", "tray.ico", "tray.png"]);
});

test("the tray's menu names the running containers, each to open and to stop, and says how many more there are", () => {
  const running = Array.from({ length: 17 }, (_, index) => ({ id: `id${index}`, name: `web-${index}` }));
  const menu = trayMenu({ phase: "running", running, texts }, acts);
  const [open, stop] = (menu.find(({ label }) => label === "web-3")?.submenu as { label: string; click: () => void }[] | undefined) ?? [];
  open?.click();
  stop?.click();
  expect([opened, stopped]).toEqual([["id3"], ["id3"]]);
  expect(menu.filter(({ submenu }) => submenu !== undefined)).toHaveLength(15);
  expect(menu.map(({ label }) => label)).toContain("2 more…");
});

test("a notification comes for the kinds that are asked for, and a click opens what it is about", () => {
  const happening = { kind: "exits", what: "exited", container: "c1", name: "web", exitCode: "1" } as const;
  const clicked: (string | undefined)[] = [];
  notify(happening, texts, { notify: ["health", "engine"] }, (container) => clicked.push(container));
  expect(state.notified).toEqual([]);
  notify(happening, texts, { notify: ["exits"] }, (container) => clicked.push(container));
  expect(state.notified).toMatchObject([{ title: "web ended with exit code 1", body: "Its log says more." }]);
  state.notified[0]?.click?.();
  expect(clicked).toEqual(["c1"]);
});

test("tray, menu and notifications speak German as well, and nothing of it is left in English", () => {
  const both = (["en", "de"] as const).map((language) => {
    const spoken = shellTexts[language];
    const happened = [
      { kind: "exits", what: "exited", container: "c1", name: "web", exitCode: "3" },
      { kind: "exits", what: "outOfMemory", container: "c1", name: "web", exitCode: "137" },
      { kind: "health", what: "unhealthy", container: "c1", name: "web" },
      { kind: "engine", what: "failed", reason: undefined },
      { kind: "engine", what: "diskFull", percent: 96, freeBytes: 2.5e9 },
    ] as const;
    const running = Array.from({ length: 17 }, (_, index) => ({ id: `id${index}`, name: "" }));
    const labels = (items: MenuItemConstructorOptions[]): string[] =>
      items.flatMap(({ label, submenu }) => [label ?? "", ...(Array.isArray(submenu) ? labels(submenu) : [])]);
    return [
      ...(["stopped", "starting", "running", "stopping", "failed"] as const).flatMap((phase) => labels(trayMenu({ phase, running, texts: spoken }, acts))),
      ...happened.flatMap((happening) => Object.values(spoken.happened(happening))),
      ...[spoken.view, spoken.cannotStart, spoken.pageEnded, spoken.pageEndedWhy("crashed"), spoken.reload, spoken.close],
    ];
  });
  const [english = [], german = []] = both;
  expect(german).toHaveLength(english.length);
  expect(german.filter((text, index) => text !== "" && text === english[index])).toEqual([]);
  for (const part of ["web endete mit Exit-Code 3", "Beendet mit Exit-Code 137.", "Die Platte ist zu 96 % voll", "2,5 GB sind frei.", "2 weitere…"])
    expect(german.join("\n")).toContain(part);
});

test("a desktop without a tray leaves the app usable", () => {
  state.trayFails = true;
  expect(createTray("/icons", acts, { phase: "stopped", running: [], texts })).toBeUndefined();
  state.trayFails = false;
  expect(createTray("/icons", acts, { phase: "stopped", running: [], texts })).toBeDefined();
});

test.skipIf(process.platform !== "linux")("starting at login is a desktop entry on Linux, which goes again", () => {
  setStartsAtLogin(true);
  expect(startsAtLogin()).toBe(true);
  setStartsAtLogin(false);
  expect(startsAtLogin()).toBe(false);
  expect(desktopEntry('/opt/My "App"/slipway')).toContain(String.raw`Exec="/opt/My \\"App\\"/slipway" --hidden`);
});

test("the menu has the roles macOS needs to copy and paste, and developer tools only where it is not packaged", () => {
  const mac = applicationMenu({ platform: "darwin", packaged: true, view: texts.view });
  expect(mac.map((item) => item.role)).toEqual(["appMenu", "fileMenu", "editMenu", undefined, "windowMenu"]);
  expect(JSON.stringify(mac)).not.toContain("toggleDevTools");
  expect(JSON.stringify(applicationMenu({ platform: "linux", packaged: false, view: texts.view }))).toContain("toggleDevTools");
});

test.each([
  ["slipway://containers", "#/containers"],
  ["slipway://containers/web-1", "#/containers/web-1"],
  ["slipway://images/", "#/images"],
  ["slipway://compose/shop", "#/compose/shop"],
  ["slipway://builds", "#/builds"],
  ["slipway://engine", "#/engine"],
  ["slipway://containers/../../x", undefined],
  ["slipway://containers/web/terminal", "#/containers/web/terminal"],
  ["slipway://images/docker.io/library/nginx:1.27", "#/images/docker.io%2Flibrary%2Fnginx%3A1.27"],
  ["slipway://images/sha256%3Aabc", "#/images/sha256%3Aabc"],
  ["slipway://run?image=nginx%3A1.27", "#/run/nginx%3A1.27"],
  ["slipway://run?image=nginx&image=other", undefined],
  ["slipway://run?image=nginx&privileged=1", undefined],
  ["slipway://run?image=--privileged", undefined],
  ["slipway://run?image=a%20b", undefined],
  ["slipway://run/nginx", undefined],
  ["slipway://run", undefined],
  ["slipway://images/..%2f..%2fx", undefined],
  ["slipway://images/%ff", undefined],
  ["slipway://settings/x", undefined],
  ["slipway://containers:80/web", undefined],
  ["slipway://containers/web#x", undefined],
  ["SLIPWAY://containers", undefined],
  ["slipway://containers/a/b", undefined],
  ["slipway://containers/%2e%2e", undefined],
  ["slipway://shell/rm", undefined],
  ["slipway://containers?delete=1", undefined],
  ["slipway://user@containers", undefined],
  ["https://containers", undefined],
  ["", undefined],
])("the link %j leads to %s", (link, route) => {
  expect(routeOf(link)).toBe(route);
});

test("a link is found among a program's arguments", () => {
  expect(linkIn(["slipway", "--hidden", "slipway://images"])).toBe("slipway://images");
  expect(linkIn(["slipway"])).toBeUndefined();
});
