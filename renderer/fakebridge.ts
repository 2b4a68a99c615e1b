import type { MachineStatus } from "#api/machine.ts";
import { EngineError } from "#base/errors.ts";
import type { Bridge, BridgeStream, EngineCheck, EngineRequest, FolderListing, HostInfo, RemoteEngine, Settings } from "#bridge/bridge.ts";

type Answer = { readonly status?: number; readonly body?: unknown } | ((request: EngineRequest) => { readonly status?: number; readonly body?: unknown });

export interface FakeBridge extends Bridge {
  /** What the window asked the engine for: `POST /containers/web/start`. */
  readonly asked: readonly EngineRequest[];
  /** Makes the engine answer `METHOD /path` (query left out) from now on. */
  answer(call: string, answer: Answer): void;
  /** Pushes a line into `GET /events`. */
  event(event: object): void;
  machine(status: Partial<MachineStatus>): void;
  host(info: Partial<HostInfo>): void;
  /** An engine beside this computer's. */
  engine(engine: RemoteEngine): void;
  /** What comes of trying to reach that address. */
  check(url: string, check: EngineCheck): void;
  /** Puts a text into a shared folder of this computer. */
  file(path: string, text: string): void;
}

const running: MachineStatus = { phase: "running", driver: "qemu", accelerator: "kvm", steps: [], notices: [], restarts: 0, logTail: [] };

/** The host core's end for component tests: answers are scripted, everything on this side of the bridge is real. */
export function fakeBridge(): FakeBridge {
  const answers = new Map<string, Answer>([
    ["GET /containers/json", { body: [] }],
    ["GET /images/json", { body: [] }],
    ["GET /volumes", { body: { Volumes: [], Warnings: null } }],
    ["GET /networks", { body: [] }],
    ["GET /info", { body: { ServerVersion: "1.0", NCPU: 2, MemTotal: 4e9, Warnings: null, OperatingSystem: "Linux", KernelVersion: "6" } }],
  ]);
  const asked: EngineRequest[] = [];
  const files = new Map<string, string>();
  const folders = new Map<string, FolderListing>();
  const pushers = new Set<(line: string) => void>();
  const machineListeners = new Set<(status: MachineStatus) => void>();
  let status = running;
  let config = "";
  let info: HostInfo = { version: "0.0.1", platform: "linux", mode: "browser", socketPath: "/x.sock", home: "/home/me", portHost: "localhost" };
  const defaults: Settings = {
    theme: "system",
    language: "system",
    memoryMiB: 4096,
    cpus: 2,
    diskGiB: 64,
    folders: ["/home/me"],
    hostAccess: true,
    tray: true,
    onClose: "hide",
    notify: ["exits", "health", "engine"],
    engines: [],
    contextAsked: true,
  };
  let settings = defaults;
  let engines: readonly RemoteEngine[] = [];
  const checks = new Map<string, EngineCheck>();

  const engine = (request: EngineRequest) => {
    asked.push(request);
    const call = `${request.method} ${request.path.split("?")[0]}`;
    const answer = answers.get(call);
    if (answer === undefined) return { status: 404, headers: {}, body: { message: `no such object: ${call}` } };
    const { status: code = 200, body = "" } = typeof answer === "function" ? answer(request) : answer;
    return { status: code, headers: {}, body };
  };
  const calls: Record<string, (arg: never) => unknown> = {
    "engine.request": engine,
    "host.info": () => info,
    "machine.status": () => status,
    "machine.repair": () => ["machine"],
    "machine.erase": () => undefined,
    "config.get": () => ({ path: "/home/me/daemon.json", text: config }),
    "config.set": ({ text }: { text: string }) => void (config = text),
    "context.status": () => ({ created: true, current: "default" }),
    "folders.list": ({ path }: { path: string }) => folders.get(path) ?? { path, parent: "", entries: [], total: 0 },
    "files.read": ({ path }: { path: string }) => ({ path, text: files.get(path) ?? "", version: files.get(path) ?? "" }),
    "files.write": ({ path, text }: { path: string; text: string }) => (files.set(path, text), { path, text, version: text }),
    "engines.list": () => engines,
    "engines.check": ({ url }: { url: string }) => checks.get(url) ?? { reached: true, version: "28.5" },
    "engines.add": (added: { name: string; url: string }) => {
      const engine = { id: `id-${added.name}`, source: "added" as const, portHost: "elsewhere", ...added };
      engines = [...engines, engine];
      return engine;
    },
    "engines.remove": ({ id }: { id: string }) => void (engines = engines.filter((engine) => engine.id !== id)),
    "engines.status": () => status,
    "engines.connect": () => undefined,
    "settings.get": () => settings,
    "settings.defaults": () => defaults,
    "settings.set": (change: Partial<Settings>) => (settings = { ...settings, ...change }),
  };

  return {
    asked,
    answer: (call, answer) => void answers.set(call, answer),
    event: (event) => {
      for (const push of pushers) push(`${JSON.stringify(event)}\n`);
    },
    machine(change) {
      status = { ...status, ...change };
      for (const listener of machineListeners) listener(status);
    },
    file(path, text) {
      files.set(path, text);
      const folder = path.slice(0, path.lastIndexOf("/"));
      const entries = [...(folders.get(folder)?.entries ?? []), { name: path.slice(folder.length + 1), path, kind: "file" as const }];
      folders.set(folder, { path: folder, parent: "", entries, total: entries.length });
    },
    engine: (engine) => void (engines = [...engines, engine]),
    check: (url, check) => void checks.set(url, check),
    host: (change) => void (info = { ...info, ...change }),
    call: (async (name: string, arg: never) => {
      const serve = calls[name];
      if (serve === undefined) throw new EngineError("notImplemented", name);
      return serve(arg);
    }) as Bridge["call"],
    stream: ({ request }) => (request.path === "/events" ? pushed(pushers) : answered(engine(request))),
    on: ((event: string, listener: (status: MachineStatus) => void) => {
      if (event === "machine") machineListeners.add(listener);
      return { [Symbol.dispose]: () => void machineListeners.delete(listener) };
    }) as Bridge["on"],
    connected: true,
    onConnected: () => ({ [Symbol.dispose]: () => undefined }),
  };
}

const still = { write: () => Promise.resolve(), end: () => undefined };

function answered({ status, body }: { readonly status: number; readonly body: unknown }): BridgeStream {
  return {
    ...still,
    head: Promise.resolve({ status, headers: {} }),
    bytes: (async function* () {
      yield body instanceof Uint8Array ? body : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
    })(),
    close: () => undefined,
  };
}

function pushed(pushers: Set<(line: string) => void>): BridgeStream {
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  const lines: string[] = [];
  let wake = (): void => undefined;
  const push = (line: string): void => {
    lines.push(line);
    wake();
  };
  pushers.add(push);
  return {
    ...still,
    head: Promise.resolve({ status: 200, headers: {} }),
    bytes: (async function* () {
      let open = true;
      void closed.then(() => {
        open = false;
        wake();
      });
      while (open) {
        const line = lines.shift();
        if (line !== undefined) yield new TextEncoder().encode(line);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    })(),
    close: () => {
      pushers.delete(push);
      close();
    },
  };
}
