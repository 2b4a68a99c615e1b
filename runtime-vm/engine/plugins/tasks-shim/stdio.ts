import { delay } from "#base/deadline.ts";
import { codeOf, EngineError } from "#base/errors.ts";
import type { OutputSpools } from "#core/tasks/spool.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { closeSync, constants, existsSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { OutputFifo } from "./fifo.ts";
import type { Stdio } from "./messages.ts";
import { bundlePaths, type ResolvedOptions } from "./options.ts";

/** A millisecond each. */
const stdinTriesMax = 2_000;

interface StdioParts {
  readonly stdout: OutputFifo;
  readonly stderr: OutputFifo | undefined;
  readonly stdin: Socket | undefined;
  /** A path. */
  readonly progress: string;
}

/**
 * The FIFOs between one process and the engine. Our read ends are opened before the shim opens its write ends, so nothing blocks; the
 * shim keeps a descriptor of both kinds while the process lives, so a program is never cut off by an engine that goes away: it waits
 * when 64 KiB are unread. The end of output is the shim closing its write end.
 */
export class ProcessStdio implements Disposable {
  readonly wire: Stdio;
  readonly stdio: TaskStdio;
  readonly #paths: readonly string[];
  readonly #outputs: OutputFifo[] = [];
  #stdinKeeper: number | undefined;
  readonly #stdin: Socket | undefined;

  private constructor(wire: Stdio, bundle: string, restore: boolean, options: ResolvedOptions) {
    this.wire = wire;
    this.#paths = [wire.stdin, wire.stdout, wire.stderr].filter((path) => path !== "");
    const paths = bundlePaths(bundle);
    const output = (path: string, name: "stdout" | "stderr"): OutputFifo => {
      const fifo = new OutputFifo(path, paths.spool(name), restore, options);
      this.#outputs.push(fifo);
      return fifo;
    };
    try {
      const stdout = output(wire.stdout, "stdout");
      const stderr = wire.stderr === "" ? undefined : output(wire.stderr, "stderr");
      this.#stdin = wire.stdin === "" ? undefined : this.#writer(wire.stdin);
      this.stdio = stdioOf({ stdout, stderr, stdin: this.#stdin, progress: paths.logged });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  static create(bundle: string, execId: string, opts: { terminal: boolean; stdin: boolean }, options: ResolvedOptions): ProcessStdio {
    const wire = wireOf(bundle, execId, opts);
    const made: string[] = [];
    try {
      for (const path of [wire.stdin, wire.stdout, wire.stderr]) {
        if (path === "") continue;
        options.kernel.mkfifo(path, 0o600);
        made.push(path);
      }
      return new ProcessStdio(wire, bundle, false, options);
    } catch (error) {
      for (const path of made) rmSync(path, { force: true });
      throw error;
    }
  }

  /**
   * The shim has its ends open already, or has closed them. A FIFO that is not there was removed with its process, by an engine that was
   * killed before the rest of it was: an empty one stands in, so that the rest can go, too.
   */
  static restore(bundle: string, execId: string, opts: { terminal: boolean; stdin: boolean }, options: ResolvedOptions): ProcessStdio {
    const wire = wireOf(bundle, execId, opts);
    for (const path of [wire.stdin, wire.stdout, wire.stderr]) if (path !== "" && !existsSync(path)) options.kernel.mkfifo(path, 0o600);
    const io = new ProcessStdio(wire, bundle, true, options);
    io.#dropKeeper();
    return io;
  }

  /**
   * Call when the shim has answered. It opens its end of stdin in the background, and until then ours is the only reader: without it
   * what is written would be refused or lost. Once this resolves, writing to a program that left gives EPIPE.
   */
  async connected(): Promise<void> {
    for (let tries = 0; this.#stdinKeeper !== undefined && !this.#hasReader(); tries++) {
      if (tries === stdinTriesMax) throw new EngineError("unavailable", `the shim did not open ${this.wire.stdin}`);
      await delay(1);
    }
    this.#dropKeeper();
  }

  /** Ends our half of stdin after what was written has gone through. */
  async endStdin(): Promise<void> {
    const stdin = this.#stdin;
    if (!stdin || stdin.destroyed) return;
    stdin.end();
    await finished(stdin, { readable: false }).catch(() => undefined);
    stdin.destroy();
  }

  /** The program is gone: nobody will read more input. Output still flows to its end. */
  dropStdin(): void {
    this.#stdin?.destroy();
    this.#dropKeeper();
  }

  /** Closes our ends and removes the FIFOs. */
  [Symbol.dispose](): void {
    this.close();
    this.removeFifos();
  }

  /** Removes the names: what is unread stays readable through our descriptors. */
  removeFifos(): void {
    for (const path of this.#paths) rmSync(path, { force: true });
  }

  /** Closes our ends only. */
  close(): void {
    for (const output of this.#outputs) output.close();
    this.#stdin?.destroy();
    this.#dropKeeper();
  }

  /** Lets go of our own read end for a moment, in which nothing is written: the kernel refuses a write end without a reader. */
  #hasReader(): boolean {
    this.#dropKeeper();
    try {
      closeSync(openSync(this.wire.stdin, constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch (error) {
      if (codeOf(error) !== "ENXIO") throw error;
      this.#stdinKeeper = openSync(this.wire.stdin, constants.O_RDONLY | constants.O_NONBLOCK);
      return false;
    }
  }

  #dropKeeper(): void {
    if (this.#stdinKeeper !== undefined) closeSync(this.#stdinKeeper);
    this.#stdinKeeper = undefined;
  }

  #writer(path: string): Socket {
    this.#stdinKeeper = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stdin = new Socket({ fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), readable: false, writable: true });
    // A program that closes its stdin early is no failure of ours; whoever writes sees EPIPE by the stream's callback.
    stdin.on("error", () => undefined);
    return stdin;
  }
}

/** Output is read as streams or spooled, whichever is asked for: descriptors and sockets of the other way are not made. */
function stdioOf({ stdout, stderr, stdin, progress }: StdioParts): TaskStdio {
  const stdio = {
    get stdout() {
      return stdout.stream;
    },
    spools: () => openSpools(stdout, stderr, progress),
    ...(stdin && { stdin }),
  };
  return stderr === undefined ? stdio : Object.defineProperty(stdio, "stderr", { get: () => stderr.stream, enumerable: true });
}

function openSpools(stdout: OutputFifo, stderr: OutputFifo | undefined, path: string): OutputSpools {
  const progress = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const spools = { stdout: stdout.spool(), ...(stderr && { stderr: stderr.spool() }) };
  return {
    ...spools,
    progress,
    [Symbol.dispose]: () => {
      closeSync(progress);
      for (const spool of Object.values(spools)) spool[Symbol.dispose]();
    },
  };
}

function wireOf(bundle: string, execId: string, opts: { terminal: boolean; stdin: boolean }): Stdio {
  const path = bundlePaths(bundle).stdio;
  return {
    terminal: opts.terminal,
    stdin: opts.stdin ? path("stdin", execId) : "",
    stdout: path("stdout", execId),
    stderr: opts.terminal ? "" : path("stderr", execId),
  };
}
