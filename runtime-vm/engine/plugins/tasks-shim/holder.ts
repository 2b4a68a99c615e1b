import { codeOf, messageOf } from "#base/errors.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { shimPaths, type ResolvedOptions } from "./options.ts";

/**
 * A small shell that outlives the engine and keeps the read ends of output FIFOs open. The kernel forgets what is in a FIFO when its
 * last descriptor closes; the shim closes its own when a process ends, so without the holder the last output of a container that ends
 * while no engine runs would be lost. It never reads. Its orders come one line each through a FIFO of its own:
 * `hold N PATH`, `drop N`. Opening read-write first and read-only after it never blocks.
 */
const script = `exec 0<>"$1" || exit 1
while read -r order n path; do
  case $order in
    hold) [ -p "$path" ] && command exec 9<>"$path" && eval "command exec $n<\\"\\$path\\""; command exec 9>&- ;;
    drop) eval "command exec $n<&-" ;;
    quit) exit 0 ;;
  esac
done 2>/dev/null`;

/** Descriptor numbers below are the shell's own. */
const firstNumber = 20;

/** One that ends sooner is not started again. */
const lifeMsMin = 100;

export class Holder implements Disposable {
  readonly #options: ResolvedOptions;
  readonly #held = new Map<number, string>();
  /** Numbers of paths that are not held yet. */
  readonly #reserved = new Set<number>();
  #control: number | undefined;
  #child: ChildProcess | undefined;
  /** It waits for the first container: the engine's own start goes on without it. */
  #unstarted: boolean;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#control = this.#open();
    this.#unstarted = this.#control === undefined;
  }

  /** A number to hold and drop `path` by. Nothing is held yet. */
  reserve(path: string): number {
    this.#begin();
    let number = firstNumber;
    while (this.#held.has(number)) number++;
    this.#held.set(number, path);
    this.#reserved.add(number);
    return number;
  }

  /** Keeps the path that the number was reserved for readable until `drop`. Only once the FIFO has a writer: see `adopt`. */
  hold(number: number): void {
    const path = this.#held.get(number);
    if (this.#reserved.delete(number) && path !== undefined) this.adopt(number, path);
  }

  /**
   * Takes over what an earlier engine had held. Opening anew is harmless while a writer is there or has left; a reader that still
   * waits for its first writer would take the holder's passing write end for the end of output.
   */
  adopt(number: number, path: string): void {
    this.#begin();
    this.#held.set(number, path);
    this.#order(`hold ${number} ${path}\n`);
  }

  drop(number: number): void {
    const isHeld = this.#held.delete(number) && !this.#reserved.delete(number);
    if (isHeld) this.#order(`drop ${number}\n`);
  }

  /** Ends the process: only when no container is left. */
  stop(): void {
    this.#order("quit\n");
    this[Symbol.dispose]();
    const paths = shimPaths(this.#options.shims);
    rmSync(paths.holderControl, { force: true });
    rmSync(paths.holderPid, { force: true });
  }

  get pid(): number {
    return Number(readFileSync(shimPaths(this.#options.shims).holderPid, "utf8"));
  }

  /** Lets go of the control FIFO; the process goes on. */
  [Symbol.dispose](): void {
    this.#unstarted = false;
    if (this.#control !== undefined) closeSync(this.#control);
    this.#control = undefined;
  }

  #begin(): void {
    if (!this.#unstarted) return;
    this.#unstarted = false;
    this.#control = this.#start();
  }

  /** A line is shorter than PIPE_BUF: it is taken whole or not at all. */
  #order(line: string): void {
    if (this.#control === undefined) return;
    try {
      writeSync(this.#control, line);
    } catch (error) {
      if (codeOf(error) === "EPIPE") this.#restart();
      else this.#options.log(`holder: ${messageOf(error)}: output of a container that ends while no engine runs may be cut short`);
    }
  }

  /** Somebody killed it: what its FIFOs hold is safe while the shim has them open. */
  #restart(): void {
    this.#options.log("holder: it was killed, starting another");
    this[Symbol.dispose]();
    this.#control = this.#start();
    for (const [number, path] of this.#held) if (!this.#reserved.has(number)) this.#order(`hold ${number} ${path}\n`);
  }

  /** The write end of a living holder's FIFO: without a reader the kernel answers ENXIO. */
  #open(): number | undefined {
    try {
      return openSync(shimPaths(this.#options.shims).holderControl, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) === "ENXIO" || codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #start(): number | undefined {
    const { holderControl, holderPid } = shimPaths(this.#options.shims);
    if (!existsSync(holderControl)) this.#options.kernel.mkfifo(holderControl, 0o600);
    const child = spawn(this.#options.busyboxBinary, ["sh", "-c", script, "slipway-holder", holderControl], {
      detached: true,
      stdio: "ignore",
      cwd: "/",
      env: {},
    });
    child.unref();
    const started = Date.now();
    // Our control end is open for reading too and would never say EPIPE.
    child.once("exit", () => {
      if (this.#control === undefined || this.#child !== child) return;
      if (Date.now() - started > lifeMsMin) return this.#restart();
      this.#options.log(`holder: ${this.#options.busyboxBinary} does not stay: output of a container that ends while no engine runs may be cut short`);
      this[Symbol.dispose]();
    });
    this.#child = child;
    child.once("error", (error) => this.#options.log(`holder: cannot run ${this.#options.busyboxBinary}: ${error.message}`));
    if (child.pid === undefined) return undefined;
    writeFileSync(holderPid, String(child.pid));
    // Read-write: orders wait in the FIFO until the shell has opened it.
    return openSync(holderControl, constants.O_RDWR | constants.O_NONBLOCK);
  }
}
