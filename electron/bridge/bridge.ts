import type { MachineStatus, UnreachedCause } from "#api/machine.ts";
import type { LanguageChoice } from "./language.ts";

/**
 * The one contract between the window and the host core: calls, events and streams. Everything the window does to
 * containers is an Engine API request passed through unchanged (`engine.request`, or a stream); the rest is small.
 */
export interface EngineRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** Path with query, unversioned: `/containers/json?all=1`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON body. */
  readonly body?: unknown;
  /** Another engine's id, as `engines.list` tells it; absent: the engine of this computer's machine. */
  readonly engine?: string;
}

export interface EngineResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded JSON, or text where the engine answered none. */
  readonly body: unknown;
}

export interface HostInfo {
  readonly version: string;
  readonly platform: "linux" | "darwin" | "win32";
  readonly mode: "electron" | "browser";
  /** Why browser mode: "Electron's binary is not installed". */
  readonly modeReason?: string;
  readonly socketPath: string;
  /** The person's own folder: what `~` means in a compose file. */
  readonly home: string;
  /** Host name for links to published ports. */
  readonly portHost: string;
}

export interface ContextStatus {
  /** A docker context `slipway` exists. */
  readonly created: boolean;
  /** Name of the CLI's current context. */
  readonly current: string;
  /** An environment variable that hides contexts (`DOCKER_HOST`), when set. */
  readonly hiddenBy?: string;
}

export interface HostCalls {
  "engine.request": (request: EngineRequest) => Promise<EngineResponse>;
  "host.info": () => Promise<HostInfo>;
  "machine.status": () => Promise<MachineStatus>;
  "machine.start": () => Promise<void>;
  "machine.stop": () => Promise<void>;
  "machine.restart": () => Promise<void>;
  /** Deletes every container, image, volume and network with the disk they are on, and starts the machine with nothing. */
  "machine.erase": () => Promise<void>;
  /**
   * Makes anew what is kept beside containers, images and volumes and is not as it should be: the machine (started
   * afresh unless its engine answers), the Docker socket, the docker context. Resolves to what that was.
   */
  "machine.repair": () => Promise<readonly Repairable[]>;
  /** The engine's daemon.json on this computer; "" when there is none. */
  "config.get": () => Promise<{ readonly path: string; readonly text: string }>;
  /** Class `invalidArgument` with line and column, and nothing is written, for what is no JSON object. */
  "config.set": (arg: { text: string }) => Promise<void>;
  "context.status": () => Promise<ContextStatus>;
  /** Makes `slipway` the default docker context (after consent), or gives the former one back. */
  "context.use": (arg: { on: boolean }) => Promise<ContextStatus>;
  /** Simple checks of what usually goes wrong, each with what to do about it. */
  "diagnostics.run": () => Promise<readonly DiagnosticCheck[]>;
  /** What is in a folder that the person has shared; "" stands above all of these. Class `forbidden` for any other. */
  "folders.list": (arg: { path: string }) => Promise<FolderListing>;
  /** A text in a folder that the person has shared, of at most 1 MiB. */
  "files.read": (arg: { path: string }) => Promise<SharedFile>;
  /** Class `conflict`, and nothing is written, when the file is not that of `version` any more; with "" there must be none yet. */
  "files.write": (arg: { path: string; text: string; version: string }) => Promise<SharedFile>;
  /** Engines beside this computer's: those that were added, then those of docker's contexts. */
  "engines.list": () => Promise<readonly RemoteEngine[]>;
  /** Tries to reach one that need not be known. Resolves whatever comes of it. */
  "engines.check": (arg: EngineAddress) => Promise<EngineCheck>;
  /** Keeps it, reached or not. */
  "engines.add": (arg: EngineAddress & { readonly name: string }) => Promise<RemoteEngine>;
  /** Forgets one that was added; it goes on as it is. Class `notFound` for any other. */
  "engines.remove": (arg: { id: string }) => Promise<void>;
  /** The connection to it, which is made when somebody first asks. */
  "engines.status": (arg: { id: string }) => Promise<MachineStatus>;
  /** Reaches it anew. */
  "engines.connect": (arg: { id: string }) => Promise<void>;
  "settings.get": () => Promise<Settings>;
  /** What the settings are on this computer before anybody changes them. */
  "settings.defaults": () => Promise<Settings>;
  "settings.set": (arg: Partial<Settings>) => Promise<Settings>;
}

/** Where an engine is reached, as docker writes it: `unix:///run/docker.sock`, `npipe:////./pipe/x`, `tcp://host:2376`, `ssh://user@host`. */
export interface EngineAddress {
  readonly url: string;
  /** For `tcp`, encrypted: files of this computer in PEM. Without it the connection is in the clear. */
  readonly tls?: EngineTls;
}

export interface EngineTls {
  /** Who may vouch for the engine; this computer's authorities when absent. */
  readonly ca?: string;
  /** What we show the engine; both or none. */
  readonly cert?: string;
  readonly key?: string;
  /** As a docker context says it: whoever answers is believed. */
  readonly skipVerify?: boolean;
}

export interface RemoteEngine extends EngineAddress {
  readonly id: string;
  readonly name: string;
  /** `context`: one of docker's own, which is changed with `docker context`. */
  readonly source: "added" | "context";
  /** Host name for links to ports that its containers publish. */
  readonly portHost: string;
}

export type EngineCheck =
  | { readonly reached: true; readonly version: string }
  | { readonly reached: false; readonly cause: UnreachedCause /** As the system, ssh or TLS say it. */; readonly words: string };

export interface SharedFile {
  /** Links followed. */
  readonly path: string;
  readonly text: string;
  /** Changes whenever somebody writes the file. */
  readonly version: string;
}

export interface FolderListing {
  /** Links followed. */
  readonly path: string;
  /** The folder around it; "" where that is not shared. */
  readonly parent?: string;
  readonly entries: readonly { readonly name: string; readonly path: string; readonly kind: "folder" | "file" }[];
  /** How many there are; more than `entries` has for a very large folder. */
  readonly total: number;
}

export type Repairable = "machine" | "socket" | "context";

export interface Settings {
  readonly theme: "system" | "light" | "dark";
  /** What window, menus and notifications speak. */
  readonly language: LanguageChoice;
  /** The virtual machine's; with the four that follow, they count from its next boot. */
  readonly memoryMiB: number;
  readonly cpus: number;
  /** How far the machine's data disk may grow; a disk is never made smaller. */
  readonly diskGiB: number;
  /** Folders of this computer, absolute, that containers may mount. */
  readonly folders: readonly string[];
  /** Whether containers reach this computer's services as `host.docker.internal`. */
  readonly hostAccess: boolean;
  /** Whether the desktop app shows an icon in the system's tray. */
  readonly tray: boolean;
  /** What closing the window does where there is an icon in the tray: hide it, or quit. */
  readonly onClose: "hide" | "quit";
  /** Which happenings the desktop app notifies of while its window is not looked at. */
  readonly notify: readonly Notified[];
  /** Engines of other computers that the window can show. */
  readonly engines: readonly AddedEngine[];
  /** Answered the question whether `docker` should use Slipway by default. */
  readonly contextAsked: boolean;
}

export type AddedEngine = EngineAddress & { readonly id: string; readonly name: string };

/** `exits`: a container ended by itself with an error; `health`: one became unhealthy; `engine`: the engine failed. */
export type Notified = "exits" | "health" | "engine";

export interface DiagnosticCheck {
  /** `socket`, `engine`, `context`, `disk`, `acceleration`, `settings`. */
  readonly name: string;
  /** A sentence part for people: "The Docker socket answers". */
  readonly title: string;
  readonly result: "pass" | "warn" | "fail";
  /** What was found. */
  readonly detail: string;
  /** What to do, when it is not a pass. */
  readonly fix?: string;
}

export interface HostEvents {
  machine: MachineStatus;
  /** The connection to another engine. */
  engine: { readonly id: string; readonly status: MachineStatus };
  settings: Settings;
}

export type CallName = keyof HostCalls;
export type CallArg<C extends CallName> = Parameters<HostCalls[C]> extends [infer A] ? A : undefined;
export type CallResult<C extends CallName> = Awaited<ReturnType<HostCalls[C]>>;

/** Opens a byte stream to the engine: a streaming answer, an upload, or a hijacked connection (attach, exec). */
export interface StreamOpen {
  readonly request: EngineRequest;
  /** `upgrade`: hijack the connection; bytes flow both ways. `upload`: bytes written are the request body. `download`: only the answer. */
  readonly kind: "download" | "upload" | "upgrade";
  /** Bytes the far side may send before the reader grants more: log 1 MiB, terminal 64 KiB, file 1 MiB. */
  readonly windowBytes: number;
  /** Of an upload: the body is a folder of this computer, packed as a build's context by the host core, and the window writes nothing. */
  readonly context?: { readonly folder: string; readonly dockerfile: string };
}

export interface BridgeStream {
  /** Status and headers; for an error status the body follows in `bytes`. */
  readonly head: Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>> }>;
  /** The answer's bytes. Reading grants credit; breaking out of the loop closes the stream, reading an upgraded one to its end ends our direction. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Resolves when the far side's window has room again. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-closes our direction. */
  end(): void;
  /** Both directions, at once. */
  close(): void;
}

/** The window's end. Errors are EngineError with the class kept across the wire. */
export interface Bridge {
  call<C extends CallName>(name: C, ...arg: CallArg<C> extends undefined ? [] : [CallArg<C>]): Promise<CallResult<C>>;
  stream(open: StreamOpen): BridgeStream;
  on<E extends keyof HostEvents>(event: E, listener: (value: HostEvents[E]) => void): Disposable;
  /** Whether the host core can be reached; the bridge reconnects by itself. */
  readonly connected: boolean;
  onConnected(listener: (connected: boolean) => void): Disposable;
}
