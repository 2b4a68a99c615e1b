import { homedir } from "node:os";
import { join, win32 } from "node:path";
import { EngineError } from "#base/errors.ts";

/** What a unix socket's path may measure: macOS takes 104 bytes with the closing zero, Linux 108. */
const socketPathBytesMax = 103;

export interface Place {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** `XDG_DATA_HOME`, `LOCALAPPDATA` and the like, read by the program's main file. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where the app keeps everything unless told otherwise: the platform's app-data folder. */
export function defaultRoot({ platform, home, env }: Place): string {
  if (platform === "darwin") return join(home, "Library", "Application Support", "Slipway");
  if (platform === "win32") return win32.join(env["LOCALAPPDATA"] || win32.join(home, "AppData", "Local"), "Slipway");
  return join(env["XDG_DATA_HOME"] || join(home, ".local", "share"), "slipway");
}

/** Every name of the host core's in its data directory, in one table. */
export const hostPaths = (root: string, platform: NodeJS.Platform = process.platform, home = homedir()) =>
  ({
    root,
    /** The Docker API for clients of this user. */
    socket: socketPath(root, platform, home),
    settings: join(root, "settings.json"),
    /** The engine's configuration, as docker's `/etc/docker/daemon.json`; the person's own file, written only when they save it in the settings. */
    daemonConfig: join(root, "daemon.json"),
    /** A settings file that could not be read, put aside. */
    settingsInvalid: join(root, "settings.json.invalid"),
    /** Which docker context was current before ours, and whether we may be the default. */
    contextState: join(root, "context.json"),
    /** The machine's own files: disk image, sockets, console. */
    machine: join(root, "machine"),
    /** Size and place of the app's window. */
    window: join(root, "window.json"),
    /** Output of the desktop app's helper processes. */
    logs: join(root, "logs"),
  }) as const;

export type HostPaths = ReturnType<typeof hostPaths>;

/** `docker.sock` in the root; a long root gets a short stand-in in the home directory. Windows has one named pipe a user's root. */
function socketPath(root: string, platform: NodeJS.Platform, home: string): string {
  if (platform === "win32") return String.raw`\\.\pipe\slipway`;
  const wanted = join(root, "docker.sock");
  if (Buffer.byteLength(wanted) <= socketPathBytesMax) return wanted;
  const short = join(home, ".slipway", "docker.sock");
  if (Buffer.byteLength(short) <= socketPathBytesMax) return short;
  throw new EngineError("invalidArgument", `no socket can be made under ${root}: its path is longer than ${socketPathBytesMax} bytes; choose a shorter --root`);
}

/** The Docker endpoint of a socket path, as contexts and `DOCKER_HOST` spell it. */
export const endpointOf = (socket: string, platform: NodeJS.Platform): string =>
  platform === "win32" ? `npipe://${socket.replaceAll("\\", "/")}` : `unix://${socket}`;
