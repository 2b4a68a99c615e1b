import { createWriteStream, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { type MessagePortMain, type UtilityProcess, utilityProcess } from "electron";
import { Emitter } from "#base/event.ts";
import type { FromHost, HostArguments, ToHost } from "./messages.ts";

const restartMsMin = 1_000;
const restartMsMax = 30_000;
const steadyMs = 60_000;
const logBytesMax = 4 * 1024 * 1024;
/** Containers get their stop signal and timeout, then the guest powers off; past this we leave anyway. */
const quitMsMax = 150_000;

/** Names of the environment the host core's process gets: nothing that changes how Node or a loader runs. */
const passed =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|XDG_.*|DOCKER_.*|SLIPWAY_.*|SUDO_UID|SUDO_GID|SSH_AUTH_SOCK|DISPLAY|WAYLAND_DISPLAY|USERPROFILE|APPDATA|LOCALAPPDATA|SystemRoot|ComSpec|PATHEXT|ProgramFiles|HTTPS?_PROXY|NO_PROXY)$/i;

export const scrubbed = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => passed.test(entry[0]) && entry[1] !== undefined));

/** Keeps the host core's process running: restarted with growing pauses when it dies, its output in a log file. */
export class HostProcess {
  readonly #program: string;
  readonly #args: HostArguments;
  readonly #logs: string;
  readonly #messages = new Emitter<FromHost>();
  #child: UtilityProcess | undefined;
  #pauseMs = restartMsMin;
  #restarting: NodeJS.Timeout | undefined;
  #quitting = false;

  constructor(opts: { readonly program: string; readonly args: HostArguments; readonly logs: string }) {
    this.#program = opts.program;
    this.#args = opts.args;
    this.#logs = opts.logs;
    this.#spawn();
  }

  onMessage(listener: (message: FromHost) => void): Disposable {
    return this.#messages.on(listener);
  }

  /** Hands over one end of a page's port. While the process is away the port is closed, and the page asks again. */
  connect(port: MessagePortMain): void {
    if (this.#child === undefined) port.close();
    else this.#child.postMessage({ kind: "port" } satisfies ToHost, [port]);
  }

  tell(message: ToHost): void {
    this.#child?.postMessage(message);
  }

  /** Ends it in order: the machine is shut down first. */
  async quit(): Promise<void> {
    this.#quitting = true;
    clearTimeout(this.#restarting);
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.tell({ kind: "quit" });
    const late = setTimeout(() => child.kill(), quitMsMax);
    await exited;
    clearTimeout(late);
  }

  #spawn(): void {
    const child = utilityProcess.fork(this.#program, [JSON.stringify(this.#args)], {
      serviceName: "Slipway host core",
      stdio: ["ignore", "pipe", "pipe"],
      env: scrubbed(process.env),
      allowLoadingUnsignedLibraries: false,
    });
    this.#child = child;
    const log = openLog(this.#logs);
    log.on("error", () => undefined); // a full disk must not take the shell down
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    const began = Date.now();
    child.on("message", (message: FromHost) => this.#messages.fire(message));
    child.once("exit", (code) => {
      log.end(`host core ended with ${code}\n`);
      this.#child = undefined;
      if (this.#quitting) return;
      // Only one that ran for a while starts the pauses anew.
      if (Date.now() - began > steadyMs) this.#pauseMs = restartMsMin;
      this.#restart(code);
    });
  }

  #restart(code: number): void {
    this.#messages.fire({ kind: "machine", phase: "failed", problem: `Slipway's host core ended (${code}) and is started again.` });
    this.#restarting = setTimeout(() => this.#spawn(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, restartMsMax);
  }
}

/** One file and the one before it. */
function openLog(directory: string): ReturnType<typeof createWriteStream> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "host.log");
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > logBytesMax) renameSync(path, join(directory, "host.1.log"));
  return createWriteStream(path, { flags: "a", mode: 0o600 });
}
