import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Duplex } from "node:stream";
import type { MachineStatus } from "#api/machine.ts";
import { delay } from "#base/deadline.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { type DaemonFilePlace, readDaemonFile, writeCarried } from "#machine/daemon-file.ts";
import { followDaemonFile } from "#machine/follow-daemon-file.ts";
import type { Machine } from "#machine/machine.ts";
import { machinePaths } from "#machine/names.ts";
import { ping } from "#machine/ping.ts";
import { StatusBoard } from "#machine/status.ts";
import { BootSteps, type StepPlan } from "#machine/steps.ts";
import {
  bridgeCommand,
  distribution,
  drivePath,
  engineCommand,
  execArguments,
  importArguments,
  listArguments,
  parseList,
  signalCommand,
  terminateArguments,
  unregisterArguments,
} from "./commands.ts";

export interface Wsl2Options {
  /** Where the distribution's disk lives. */
  readonly root: string;
  /** Archive of the tool tree, for the first import. */
  readonly archive: string;
  /** The person's daemon.json, read before each start and when it changes. */
  readonly daemonFile: DaemonFilePlace;
  readonly debug: boolean;
  readonly log: (line: string) => void;
}

const engineRoot = "/var/lib/slipway";
const engineSocket = "/run/slipway.sock";
const signalMsMax = 30_000;
const plan: readonly StepPlan[] = [
  { name: "wsl", title: "Looking for WSL 2", deadlineMs: 30_000 },
  { name: "image", title: "Importing the system image", deadlineMs: 300_000 },
  { name: "engine", title: "Starting the engine", deadlineMs: 60_000 },
  { name: "api", title: "Asking the engine", deadlineMs: 20_000 },
];

/** The engine in a WSL 2 distribution of its own; Windows' localhost forwarding publishes its ports. */
export class Wsl2Machine implements Machine {
  readonly #options: Wsl2Options;
  readonly #board = new StatusBoard("wsl2", "none");
  #engine: ChildProcess | undefined;
  #following: Disposable | undefined;
  #starting: Promise<void> | undefined;

  constructor(options: Wsl2Options) {
    this.#options = options;
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
    const steps = new BootSteps(
      plan,
      () => 1,
      (list) => this.#board.set({ steps: list }),
    );
    this.#board.set({ phase: "starting", steps: steps.list });
    try {
      const known = await steps.run("wsl", signal, async (s) => parseList(await wsl(listArguments(), s)));
      if (known.includes(distribution)) steps.skip("image", "imported before");
      else await steps.run("image", signal, (s) => this.#import(s));
      await steps.run("engine", signal, (s) => this.#launch(s));
      await steps.run("api", signal, async (s) => await ping(await this.connect(), s));
      this.#board.set({ phase: "running" });
    } catch (error) {
      this.#board.set({ phase: "failed", error: { message: messageOf(error), hint: "Check that `wsl --status` names version 2." } });
      throw error;
    }
  }

  async #import(signal: AbortSignal): Promise<void> {
    const disk = join(this.#options.root, "wsl");
    await mkdir(disk, { recursive: true });
    await wsl(importArguments(disk, this.#options.archive), signal);
  }

  /** The distribution lives as long as this process of it does. */
  async #launch(signal: AbortSignal): Promise<void> {
    this.#board.set({ notices: await this.#carryConfig() });
    const config = drivePath(this.#carried) ?? "";
    const engine = spawn("wsl.exe", execArguments(engineCommand({ root: engineRoot, socket: engineSocket, config, debug: this.#options.debug })), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#engine = engine;
    this.#following?.[Symbol.dispose]();
    this.#following = followDaemonFile({ place: this.#options.daemonFile, board: this.#board, takeOver: () => this.#takeOver() });
    engine.once("exit", (code) => this.#onExit(engine, `the engine ended with ${code}`));
    const ready = Promise.withResolvers<void>();
    for (const stream of [engine.stdout, engine.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#board.log(line);
        this.#options.log(line);
        if (line.startsWith("ready ")) ready.resolve();
      });
    }
    await once(engine, "spawn");
    const ended = once(engine, "exit", { signal }).then(() =>
      Promise.reject(new EngineError("unavailable", this.#board.current.logTail.at(-1) ?? "the engine ended at once")),
    );
    await Promise.race([ready.promise, ended]);
  }

  get #carried(): string {
    return machinePaths(this.#options.root).daemonConfig;
  }

  /** Writes what the engine gets of daemon.json where the distribution sees it; the sentences that are to be said of the rest. */
  async #carryConfig(): Promise<readonly string[]> {
    const { daemonFile, debug } = this.#options;
    const file = await readDaemonFile(daemonFile, { debug });
    await writeCarried(this.#carried, file);
    return file.notices;
  }

  async #takeOver(): Promise<readonly string[]> {
    const notices = await this.#carryConfig();
    await wsl(execArguments(signalCommand("HUP", engineSocket)), AbortSignal.timeout(signalMsMax));
    return notices;
  }

  #onExit(engine: ChildProcess, reason: string): void {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    if (this.#board.current.phase === "running") this.#board.set({ phase: "failed", error: { message: reason } });
  }

  async stop(): Promise<void> {
    if (this.#board.current.phase === "stopped") return;
    this.#board.set({ phase: "stopping" });
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine) {
      const never = new AbortController().signal;
      await wsl(execArguments(signalCommand("TERM", engineSocket)), never).catch(() => {});
      await Promise.race([once(engine, "exit"), delay(60_000)]);
      await wsl(terminateArguments(), never).catch((error: unknown) => this.#options.log(messageOf(error)));
    }
    this.#board.set({ phase: "stopped", steps: [] });
  }

  async erase(): Promise<void> {
    await this.stop();
    await wsl(unregisterArguments(), new AbortController().signal);
  }

  async connect(): Promise<Duplex> {
    const bridge = spawn("wsl.exe", execArguments(bridgeCommand(engineSocket)), { stdio: ["pipe", "pipe", "ignore"] });
    await once(bridge, "spawn");
    return Duplex.from({ readable: bridge.stdout, writable: bridge.stdin });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function wsl(args: readonly string[], signal: AbortSignal): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    execFile("wsl.exe", [...args], { encoding: "buffer", signal }, (error, stdout) => {
      if (!error) return resolve(stdout);
      const why =
        codeOf(error) === "ENOENT" ? "WSL is not installed: run `wsl --install` and restart Windows" : stdout.toString("utf16le").trim() || error.message;
      reject(new EngineError("unavailable", `wsl.exe ${args[0]}: ${why}`, { cause: error }));
    });
  });
}
