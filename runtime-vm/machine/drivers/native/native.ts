import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import type { MachineStatus } from "#api/machine.ts";
import { delay, withDeadline } from "#base/deadline.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { noticePrefix, readDaemonFile } from "#machine/daemon-file.ts";
import { followDaemonFile } from "#machine/follow-daemon-file.ts";
import type { Machine } from "#machine/machine.ts";
import { ping } from "#machine/ping.ts";
import { StatusBoard } from "#machine/status.ts";
import { BootSteps, type StepPlan } from "#machine/steps.ts";
import { startError } from "#machine/why/explain.ts";
import { engineComplaint } from "#machine/why/facts.ts";

export interface NativeOptions {
  /** Where the engine's API is or will be. */
  readonly socket: string;
  /** Starts the engine in the foreground when nothing answers at `socket`; absent: the socket is somebody else's to serve. */
  readonly launch?: (config: string | undefined) => { readonly command: string; readonly args: readonly string[] };
  /** The person's daemon.json: given to the engine that is started where it is there, which is told when it changes. */
  readonly daemonFile?: string;
  readonly log: (line: string) => void;
}

const plan: readonly StepPlan[] = [
  { name: "engine", title: "Starting the engine", deadlineMs: 60_000 },
  { name: "api", title: "Asking the engine", deadlineMs: 20_000 },
];
const stopGraceMs = 60_000;

/** The engine on this very Linux, without a virtual machine: one that we start, or a socket that answers already. */
export class NativeMachine implements Machine {
  readonly #options: NativeOptions;
  readonly #board: StatusBoard;
  #engine: ChildProcess | undefined;
  #following: Disposable | undefined;
  #starting: Promise<void> | undefined;

  constructor(options: NativeOptions) {
    this.#options = options;
    this.#board = new StatusBoard(options.launch ? "native" : "remote", "none");
  }

  get status(): MachineStatus {
    return this.#board.current;
  }

  onStatus(listener: (status: MachineStatus) => void): Disposable {
    return this.#board.on(listener);
  }

  async start({ signal }: { signal: AbortSignal }): Promise<void> {
    if (this.#board.current.phase === "running") return;
    this.#starting ??= this.#start(signal).finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  async #start(signal: AbortSignal): Promise<void> {
    this.#board.clearError();
    this.#board.set({ notices: [], logTail: [] });
    const steps = new BootSteps(
      plan,
      () => 1,
      (list) => this.#board.set({ steps: list }),
    );
    this.#board.set({ phase: "starting", steps: steps.list });
    try {
      await steps.run("engine", signal, (s) => this.#launch(s));
      await steps.run("api", signal, async (s) => await ping(await this.#connect(), s));
      this.#board.set({ phase: "running" });
    } catch (error) {
      this.#engine?.kill("SIGTERM");
      this.#board.set({ phase: "failed", error: startError({ error: messageOf(error), printed: this.#board.current.logTail, platform: process.platform }) });
      throw error;
    }
  }

  async #launch(signal: AbortSignal): Promise<void> {
    if (await this.#answers()) return;
    const { launch, socket } = this.#options;
    if (!launch) throw new EngineError("unavailable", `no engine answers at ${socket}`);
    const { daemonFile } = this.#options;
    const config = daemonFile !== undefined && existsSync(daemonFile) ? daemonFile : undefined;
    const { command, args } = launch(config);
    const engine = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#engine = engine;
    this.#follow(engine, config);
    const ready = this.#followOutput(engine);
    engine.once("exit", (code, by) => this.#onExit(engine, `the engine ended (${by ?? code})`));
    await once(engine, "spawn");
    await Promise.race([ready, this.#untilAnswered(signal), once(engine, "exit").then(([code]) => Promise.reject(this.#ended(code)))]);
  }

  /** Who changes the file sees at once when it is broken; what the engine makes of a sound one is in its log. */
  #follow(engine: ChildProcess, config: string | undefined): void {
    const { daemonFile: path } = this.#options;
    if (path === undefined) return;
    const takeOver = async (): Promise<readonly string[]> => {
      if (config === undefined) return [`${noticePrefix}it counts from the next start of the engine on`];
      await readDaemonFile({ path, required: true }, { debug: false });
      engine.kill("SIGHUP");
      return [];
    };
    this.#following?.[Symbol.dispose]();
    this.#following = followDaemonFile({ place: { path, required: false }, board: this.#board, takeOver });
  }

  #ended(code: unknown): EngineError {
    const { logTail } = this.#board.current;
    const said = logTail.findLast((line) => line.startsWith(engineComplaint))?.slice(engineComplaint.length) ?? logTail.at(-1);
    return new EngineError("unavailable", `the engine ended with ${String(code)}: ${said ?? "without a word"}`);
  }

  /** Resolves at the line `ready PATH`. */
  async #followOutput(engine: ChildProcess): Promise<void> {
    await new Promise<void>((resolve) => {
      for (const stream of [engine.stdout, engine.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream }).on("line", (line) => {
          this.#board.log(line);
          this.#options.log(line);
          if (line.startsWith("ready ")) resolve();
        });
      }
    });
  }

  async #untilAnswered(signal: AbortSignal): Promise<void> {
    while (!(await this.#answers())) await delay(200, signal);
  }

  #onExit(engine: ChildProcess, reason: string): void {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    if (this.#board.current.phase === "running")
      this.#board.set({ phase: "failed", error: { message: reason, hint: "Start it again; containers kept running if live-restore is on." } });
  }

  async #answers(): Promise<boolean> {
    try {
      await ping(await this.#connect(), AbortSignal.timeout(2_000));
      return true;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    if (this.#board.current.phase === "stopped") return;
    this.#board.set({ phase: "stopping" });
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine && engine.exitCode === null) {
      engine.kill("SIGTERM");
      await withDeadline(stopGraceMs, "stopping the engine", () => once(engine, "exit")).catch(() => engine.kill("SIGKILL"));
    }
    this.#board.set({ phase: "stopped", steps: [] });
  }

  async connect(): Promise<Duplex> {
    return await this.#connect();
  }

  async #connect(): Promise<Socket> {
    const socket = connect({ path: this.#options.socket, allowHalfOpen: true });
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      throw new EngineError("unavailable", `no engine answers at ${this.#options.socket}: ${codeOf(error) ?? messageOf(error)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
