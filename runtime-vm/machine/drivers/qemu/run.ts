import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { delay, withDeadline } from "#base/deadline.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { configStep, parseStep } from "#link/boot.ts";
import type { Handlers, HostCalls } from "#link/calls.ts";
import type { HostLink } from "#link/host.ts";
import type { MachinePaths } from "#machine/names.ts";
import { ping } from "#machine/ping.ts";
import type { BootSteps } from "#machine/steps.ts";
import { emulator, type GuestPlan, qemuArguments } from "./command.ts";
import { Ctl, type Engine } from "./ctl.ts";
import { LinkKeeper } from "./keeper.ts";
import { connectPort, type QemuProcess, startQemu } from "./process.ts";
import { Qmp } from "./qmp.ts";

/** QEMU's connections break a moment before it is seen to have ended. */
const lastWordsMs = 2_000;

/** One life of the guest: its QEMU with the three connections to it. Disposing ends it the hard way. */
export interface GuestRun extends AsyncDisposable {
  readonly qemu: QemuProcess;
  readonly qmp: Qmp;
  readonly ctl: Ctl;
  readonly keeper: LinkKeeper;
  /** Whether QEMU has stopped the guest, which has not ended. */
  readonly paused: () => boolean;
  /** Aborted with the reason when QEMU ends. */
  readonly ended: AbortSignal;
}

export interface RunHooks {
  readonly serve: (link: Pick<HostLink, "open">) => Handlers<HostCalls>;
  /** QEMU runs; the guest has not spoken yet. */
  readonly onStarted: (qemu: QemuProcess, qmp: Qmp) => void;
  readonly onLinkUp: () => void;
  readonly onLinkDown: (cause: string) => void;
  /** Another engine than the first is at work in the guest. */
  readonly onEngine: (engine: Engine) => void;
  readonly log: (line: string) => void;
}

/** Starts QEMU and follows the boot step by step until the engine answers. Undone wholly when it fails; a QEMU that ended is the reason told. */
export async function bootGuest(plan: GuestPlan, paths: MachinePaths, steps: BootSteps, hooks: RunHooks, signal: AbortSignal, slow: number): Promise<GuestRun> {
  await using undo = new AsyncDisposableStack();
  const ended = new AbortController();
  try {
    const run = await follow({ plan, paths, steps, hooks, slow, undo, ended }, AbortSignal.any([signal, ended.signal]));
    const resources = undo.move();
    return { ...run, ended: ended.signal, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  } catch (error) {
    // A connection that breaks is only the first sign of QEMU's end.
    if (!signal.aborted) await Promise.race([aborted(ended.signal), delay(lastWordsMs)]);
    throw ended.signal.aborted && !signal.aborted ? ended.signal.reason : error;
  }
}

interface Boot {
  readonly plan: GuestPlan;
  readonly paths: MachinePaths;
  readonly steps: BootSteps;
  readonly hooks: RunHooks;
  readonly slow: number;
  readonly undo: AsyncDisposableStack;
  readonly ended: AbortController;
}

async function follow(
  { plan, paths, steps, hooks, slow, undo, ended }: Boot,
  alive: AbortSignal,
): Promise<Omit<GuestRun, "ended" | typeof Symbol.asyncDispose>> {
  let shutdownReason = "";
  let stopped = false;
  const paused = (): boolean => stopped;
  const spoken = Promise.withResolvers<void>();
  const onLine = (line: string): void => {
    const step = parseStep(line);
    if (step || line.trim() !== "") spoken.resolve();
    if (step) steps.report(step);
    if (step?.name === configStep && !step.ok) ended.abort(new EngineError("invalidArgument", step.reason ?? "daemon.json cannot be used"));
    hooks.log(line);
  };

  const { qemu, qmp, ctl, linkSocket } = await steps.run("qemu", alive, async (s) => {
    const started = undo.use(await startQemu(emulator(plan.arch, plan.platform), qemuArguments(plan), paths, onLine));
    void started.exited.then((end) => ended.abort(lastWords(end, started.complaint(), shutdownReason)));
    // All at once: QEMU on Windows waits for a client of each pipe before it goes on.
    const [qmpSocket, ctlSocket, first] = await Promise.all([plan.qmp, plan.ctl, plan.link].map((port) => connectPort(port, s)));
    const control = new Ctl(ctlSocket as Socket);
    undo.defer(() => control.close());
    const monitor = await Qmp.connect(qmpSocket as Socket, s);
    undo.defer(() => monitor.close());
    monitor.events.on(({ event, data }) => {
      if (event === "SHUTDOWN") shutdownReason = String(data["reason"]);
      if (event === "STOP" || event === "RESUME") stopped = event === "STOP";
      if (event === "STOP") void stuckReason(monitor, started).then((reason) => reason && ended.abort(new GuestStuck(reason)));
    });
    hooks.onStarted(started, monitor);
    return { qemu: started, qmp: monitor, ctl: control, linkSocket: first };
  });
  let early = linkSocket;
  const keeper = undo.use(
    new LinkKeeper({
      // The first connection is there already: it waits in QEMU until the engine opens its port.
      connect: async (s) => {
        const socket = early ?? (await connectPort(plan.link, s));
        early = undefined;
        return socket;
      },
      serve: hooks.serve,
      factor: slow,
      paused,
      expected: () => ctl.engine !== undefined,
      onStuck: () => ctl.reset(),
      onUp: hooks.onLinkUp,
      onDown: hooks.onLinkDown,
      log: hooks.log,
    }),
  );
  let first = true;
  ctl.engines.on((engine) => {
    if (first) first = false;
    else {
      keeper.renew();
      hooks.onEngine(engine);
    }
  });

  await steps
    .run("kernel", alive, () => spoken.promise)
    .catch((error: unknown) => {
      throw alive.aborted ? error : new GuestStuck(messageOf(error));
    });
  await steps.run("engine", alive, (s) => ctl.hello(s));
  await steps.run("link", alive, (s) => keeper.link(s));
  await steps.run("api", alive, (s) => untilAnswered(keeper, s));
  return { qemu, qmp, ctl, keeper, paused };
}

/** A guest that died of no fault of its image or its data: the next boot may well succeed. */
export class GuestCrash extends EngineError {
  constructor(message: string) {
    super("unavailable", message);
  }
}

/** A guest that does not go on although QEMU lives: what it runs on may not be able to run it. */
export class GuestStuck extends EngineError {
  constructor(message: string) {
    super("unavailable", message);
  }
}

/** Why QEMU has stopped its guest, when it is the hypervisor that gave up on it; undefined for a guest that was paused. */
async function stuckReason(monitor: Qmp, qemu: QemuProcess): Promise<string | undefined> {
  const answer = await monitor.execute("query-status").catch(() => undefined);
  const { status } = (answer ?? {}) as { readonly status?: string };
  if (status !== "internal-error") return undefined;
  return (
    qemu
      .complaint()
      .split("; ")
      .find((line) => line.includes("internal error")) ?? "the hypervisor gave up on the guest"
  );
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));

/** Why QEMU is gone. Its SHUTDOWN event tells a guest that reset itself (a kernel panic) from one that was switched off. */
function lastWords(end: Awaited<QemuProcess["exited"]>, complaint: string, reason: string): EngineError {
  if (reason === "guest-reset" || reason === "guest-panic") return new GuestCrash("Linux in the virtual machine crashed");
  if (reason === "guest-shutdown") return new EngineError("unavailable", "the virtual machine switched itself off");
  if (end.signal) return new GuestCrash(`QEMU was killed (${end.signal})`);
  return new EngineError("unavailable", `QEMU ended with ${end.code ?? "no code"}: ${complaint || "it gave no reason"}`);
}

/** Resolves when the engine answers its ping. */
export async function untilAnswered(keeper: LinkKeeper, signal: AbortSignal): Promise<void> {
  let last: unknown;
  while (!signal.aborted) {
    try {
      return await ping(await engineStream(keeper, signal), signal);
    } catch (error) {
      last = error;
      await delay(200, signal).catch(() => {});
    }
  }
  throw last ?? signal.reason;
}

/** A stream to the engine's socket. An engine that is being started does not listen yet: it is waited for until `signal` aborts. */
export async function engineStream(keeper: LinkKeeper, signal: AbortSignal): Promise<Duplex> {
  for (;;) {
    try {
      return await (await keeper.link(signal)).open({ kind: "engine" }, { signal });
    } catch (error) {
      const starting = ["ECONNREFUSED", "ENOENT"].includes(codeOf(error) ?? "");
      if (!starting || signal.aborted) throw error;
      await delay(200, signal).catch(() => {});
    }
  }
}

/**
 * Ends the guest in order: the engine stops its containers and powers off; when it does not, QEMU is told to quit; when
 * that does not help either, it is killed.
 */
export async function shutDown(run: GuestRun, graceMs: number, log: (line: string) => void): Promise<void> {
  const exited = (ms: number): Promise<unknown> => withDeadline(ms, "QEMU", () => run.qemu.exited);
  try {
    if (run.paused()) throw new EngineError("unavailable", "the guest is paused");
    if (run.ctl.engine === undefined) throw new EngineError("unavailable", "no engine has said hello");
    await withDeadline(graceMs, "stopping the containers", (signal) => run.ctl.shutdown(signal));
    await exited(graceMs);
  } catch (error) {
    log(`shutdown: ${messageOf(error)}; QEMU is told to quit`);
    await run.qmp.execute("quit").catch(() => {});
    await exited(5_000).catch(() => log("shutdown: QEMU did not quit; it is killed"));
  }
  await run[Symbol.asyncDispose]();
}
