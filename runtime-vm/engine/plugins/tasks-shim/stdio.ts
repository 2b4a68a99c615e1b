import { delay } from "#base/deadline.ts";
import { codeOf, EngineError } from "#base/errors.ts";
import type { ReadOnDemand } from "#core/tasks/paced.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import { finished } from "node:stream/promises";
import type { Stdio } from "./messages.ts";
import { bundlePaths, type ResolvedOptions } from "./options.ts";

/** What a program may print while nobody looks: a flood is read in few large pieces (#core/tasks/paced.ts). */
const outputPipeBytes = 1024 * 1024;
/** A millisecond each. */
const stdinTriesMax = 2_000;

/**
 * The FIFOs between one process and the engine. Our read ends are opened before the shim opens its write ends, so nothing blocks; the
 * shim keeps a descriptor of both kinds while the process lives, so a program is never cut off by an engine that goes away: it waits
 * when 64 KiB are unread. The end of output is the shim closing its write end.
 */
export class ProcessStdio implements Disposable {
  readonly wire: Stdio;
  readonly stdio: TaskStdio;
  readonly #paths: readonly string[];
  readonly #kernel: ResolvedOptions["kernel"];
  readonly #sockets: Socket[] = [];
  #stdinKeeper: number | undefined;
  readonly #stdin: Socket | undefined;

  private constructor(wire: Stdio, restore: boolean, kernel: ResolvedOptions["kernel"]) {
    this.wire = wire;
    this.#kernel = kernel;
    this.#paths = [wire.stdin, wire.stdout, wire.stderr].filter((path) => path !== "");
    try {
      const stdout = this.#reader(wire.stdout, restore);
      const stderr = wire.stderr === "" ? undefined : this.#reader(wire.stderr, restore);
      this.#stdin = wire.stdin === "" ? undefined : this.#writer(wire.stdin);
      this.stdio = { stdout, ...(stderr ? { stderr } : {}), ...(this.#stdin ? { stdin: this.#stdin } : {}) };
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
      return new ProcessStdio(wire, false, options.kernel);
    } catch (error) {
      for (const path of made) rmSync(path, { force: true });
      throw error;
    }
  }

  /** The shim has its ends open already, or has closed them. */
  static restore(bundle: string, execId: string, opts: { terminal: boolean; stdin: boolean }, options: ResolvedOptions): ProcessStdio {
    const io = new ProcessStdio(wireOf(bundle, execId, opts), true, options.kernel);
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
    for (const socket of this.#sockets) socket.destroy();
    this.#dropKeeper();
  }

  #reader(path: string, restore: boolean): Socket {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // A reader that never saw a writer is told of no end. On restore the writer may be gone already: be one for a moment.
    if (restore) closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    this.#widen(fd);
    return this.#wrap(fd, true);
  }

  #widen(fd: number): void {
    try {
      this.#kernel.setPipeSize(fd, outputPipeBytes);
    } catch {
      // Slower in a flood, no worse: a system may allow no more than it gives at first.
    }
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
    return this.#wrap(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), false);
  }

  #wrap(fd: number, readable: boolean): Socket {
    // Not read before somebody asks: what an engine that is killed had read and not logged would be lost.
    const options: SocketConstructorOpts & { manualStart: boolean; readableHighWaterMark: number } = {
      fd,
      readable,
      writable: !readable,
      manualStart: true,
      readableHighWaterMark: 1,
    };
    const socket = readable ? new OutputSocket(options) : new Socket(options);
    // A program that closes its stdin early is no failure of ours; whoever writes sees EPIPE by the stream's callback.
    socket.on("error", () => undefined);
    this.#sockets.push(socket);
    return socket;
  }
}

/** Reads ahead no further than it is asked to, once somebody asks. */
class OutputSocket extends Socket implements ReadOnDemand {
  #onDemand = false;
  #asked = false;
  /** The size of a read that waits to be asked for. */
  #waiting: number | undefined;

  readOnDemand(): () => void {
    this.#onDemand = true;
    return () => {
      const size = this.#waiting;
      this.#waiting = undefined;
      if (size === undefined) this.#asked = true;
      else super._read(size);
    };
  }

  override _read(size: number): void {
    if (this.#onDemand && !this.#asked) {
      this.#waiting = size;
      return;
    }
    this.#asked = false;
    super._read(size);
  }
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
