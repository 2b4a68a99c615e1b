import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import type { MachineStatus } from "#api/machine.ts";
import { messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { EngineRequest, HostInfo, Settings, StreamOpen } from "#bridge/bridge.ts";
import type { BridgeHost, HostApi, HostEvent } from "#bridge/serve.ts";
import { EngineClient } from "#client/client.ts";
import type { Machine } from "#machine/machine.ts";
import { packContext } from "./build-context.ts";
import { DockerContext } from "./context.ts";
import { readDaemonConfig, writeDaemonConfig } from "./daemon-config.ts";
import { runDiagnostics } from "./diagnostics.ts";
import { EngineConnection } from "./engine.ts";
import { Engines } from "./engines/engines.ts";
import { SharedFolders } from "./folders.ts";
import { Happenings } from "./happenings.ts";
import { MachineKeeper } from "./keeper.ts";
import { endpointOf, hostPaths } from "./paths.ts";
import { serveDockerSocket } from "./proxy.ts";
import { repair } from "./repair.ts";
import { SettingsStore, thisComputer } from "./settings.ts";
import { readSharedFile, writeSharedFile } from "./shared-files.ts";

export interface HostOptions {
  /** The data directory. */
  readonly root: string;
  readonly version: string;
  readonly mode: HostInfo["mode"];
  readonly modeReason?: string | undefined;
  /** The docker CLI's configuration folder. */
  readonly dockerConfig: string;
  /** The environment variable that hides docker's contexts, when one is set. */
  readonly contextHiddenBy?: string | undefined;
  readonly createMachine: (settings: Settings, directory: string) => Machine;
  /** Told what goes wrong without stopping anything. */
  readonly log: (line: string) => void;
}

/** The host core, open: windows are served through `bridge`. Disposing stops the machine and gives back what was taken. */
export interface Host extends AsyncDisposable {
  readonly bridge: BridgeHost;
  readonly status: MachineStatus;
  onStatus(listener: (status: MachineStatus) => void): Disposable;
  readonly settings: SettingsStore;
  /** Follows the engine's containers, for as long as what it returns is not disposed. */
  happenings(): Happenings;
  /** Boots the machine; what fails shows in the status. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens everything the desktop needs of this computer except its windows. */
export async function openHost(options: HostOptions): Promise<Host> {
  await using undo = new AsyncDisposableStack();
  const paths = hostPaths(options.root);
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  const settings = await SettingsStore.open(paths.settings, paths.settingsInvalid, thisComputer());
  const keeper = undo.use(
    new MachineKeeper(
      (current) => options.createMachine(current, paths.machine),
      () => settings.current,
    ),
  );
  const socket = undo.use(await serveDockerSocket({ path: paths.socket, dial: (opts) => keeper.connect(opts) }));
  const context = new DockerContext({
    directory: options.dockerConfig,
    statePath: paths.contextState,
    endpoint: endpointOf(paths.socket, process.platform),
    hiddenBy: options.contextHiddenBy,
  });
  // A docker configuration that cannot be written is no reason not to open.
  await context.ensure().catch((error: unknown) => options.log(`docker context: ${messageOf(error)}`));
  undo.defer(() => context.release().catch((error: unknown) => options.log(`docker context: ${messageOf(error)}`)));

  const engines = undo.use(new Engines(settings, options.dockerConfig));
  const engine = new EngineConnection((opts) => keeper.connect(opts));
  const events = new Emitter<HostEvent>();
  undo.use(keeper.onStatus((value) => events.fire({ name: "machine", value })));
  undo.use(engines.onStatus((value) => events.fire({ name: "engine", value })));
  undo.use(settings.onChange((value) => events.fire({ name: "settings", value })));
  const info: HostInfo = {
    version: options.version,
    // Slipway runs on these three only; the launch entry says so elsewhere.
    platform: process.platform as HostInfo["platform"],
    mode: options.mode,
    ...(options.modeReason === undefined ? {} : { modeReason: options.modeReason }),
    socketPath: paths.socket,
    home: homedir(),
    // Another host name than the app's own 127.0.0.1: a container's page must never share its origin's storage.
    portHost: "localhost",
  };
  const folders = new SharedFolders(() => settings.current.folders);
  const contextOf = async ({ context: sent }: StreamOpen, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> =>
    sent === undefined ? undefined : packContext({ ...sent, folder: await folders.resolve(sent.folder) }, signal);
  const engineOf = async ({ engine: id }: EngineRequest): Promise<EngineConnection> => (id === undefined ? engine : await engines.connection(id));
  const calls: HostApi = {
    "engine.request": async (request, opts) => (await engineOf(request)).request(request, opts),
    "host.info": async () => info,
    "machine.status": async () => keeper.status,
    "machine.start": () => keeper.start(),
    "machine.stop": () => keeper.stop(),
    "machine.restart": () => keeper.restart(),
    "machine.erase": () => keeper.erase(),
    "machine.repair": (_, opts) => repair({ keeper, engine, socket, context }, opts),
    "config.get": async () => ({ path: paths.daemonConfig, text: await readDaemonConfig(paths.daemonConfig) }),
    "config.set": ({ text }) => writeDaemonConfig(paths.daemonConfig, text),
    "context.status": () => context.status(),
    "context.use": ({ on }) => context.use(on),
    "diagnostics.run": (_, opts) =>
      runDiagnostics(
        { root: paths.root, socket: paths.socket, machine: () => keeper.status, engine, context: () => context.status(), settingsProblems: settings.problems },
        opts,
      ),
    "folders.list": ({ path }) => folders.list(path),
    "files.read": ({ path }) => readSharedFile(folders, path),
    "files.write": (file) => writeSharedFile(folders, file),
    "engines.list": () => engines.list(),
    "engines.check": (address, opts) => engines.check(address, opts),
    "engines.add": (added) => engines.add(added),
    "engines.remove": ({ id }) => engines.remove(id),
    "engines.status": ({ id }) => engines.status(id),
    "engines.connect": ({ id }, opts) => engines.connect(id, opts),
    "settings.get": async () => settings.current,
    "settings.defaults": async () => settings.defaults,
    "settings.set": (change) => settings.set(change),
  };
  const all = undo.move();
  return {
    bridge: {
      calls,
      stream: async (open, stream) => (await engineOf(open.request)).stream(open, stream, await contextOf(open, stream.signal)),
      onEvent: (listener) => events.on(listener),
    },
    get status() {
      return keeper.status;
    },
    onStatus: (listener) => keeper.onStatus(listener),
    settings,
    happenings: () =>
      new Happenings({
        client: new EngineClient({ kind: "dial", dial: () => keeper.connect({ signal: new AbortController().signal }) }),
        status: () => keeper.status,
        onStatus: (listener) => keeper.onStatus(listener),
      }),
    start: () => keeper.start(),
    stop: () => keeper.stop(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
