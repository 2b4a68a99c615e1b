import type { MachineStatus } from "#api/machine.ts";
import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { Machine } from "#machine/machine.ts";
import { type Route, probe, reach, routeTo } from "./engines/route.ts";
import { unreached } from "./engines/unreached.ts";

const stepMsMax = 20_000;

/** The engine that listens on a socket or pipe of this computer. */
export const machineAt = (path: string): Machine => remoteMachine(routeTo({ url: path.startsWith("\\\\") ? `npipe://${path}` : `unix://${path}` }));

/** A machine that somebody else runs. Starting waits for its engine; stopping only looks away. */
export function remoteMachine(route: Pick<Route, "place" | "watchMs" | "dial">): Machine {
  const { place, dial } = route;
  const changed = new Emitter<MachineStatus>();
  let status: MachineStatus = { phase: "stopped", driver: "remote", accelerator: "none", steps: [], notices: [], restarts: 0, logTail: [] };
  let watching: AbortController | undefined;

  const set = (change: Partial<MachineStatus>): void => {
    const { error: _, ...rest } = status;
    status = { ...rest, ...change };
    changed.fire(status);
  };
  const step = (state: "running" | "done" | "failed", reason?: string): MachineStatus["steps"] => [
    { name: "api", title: `Reaching the engine at ${place}`, state, deadlineMs: stepMsMax, ...(reason === undefined ? {} : { reason }) },
  ];
  const failed = (error: unknown): void =>
    set({
      phase: "failed",
      steps: step("failed", messageOf(error)),
      error: { message: `No engine answers at ${place}: ${messageOf(error)}`, hint: "Start that engine, then try again.", cause: unreached(error).unreached },
    });

  async function found(signal: AbortSignal): Promise<void> {
    const { foreign } = await probe(dial, signal);
    set({ phase: "running", foreign, steps: step("done") });
  }

  /** An engine that goes away or comes back is noticed without anybody asking. */
  async function watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(route.watchMs, signal);
      const reached = await (status.phase === "failed" ? found(signal) : reach(dial, signal)).then(
        () => true as const,
        (error: unknown) => error,
      );
      if (signal.aborted) return;
      if (reached !== true && status.phase === "running") failed(reached);
    }
  }

  return {
    get status() {
      return status;
    },
    onStatus: (listener) => changed.on(listener),
    async start({ signal }) {
      if (status.phase === "running") return;
      set({ phase: "starting", steps: step("running") });
      try {
        await found(signal);
      } catch (error) {
        failed(error);
        throw new EngineError("unavailable", `no engine answers at ${place}: ${messageOf(error)}`, { cause: error });
      } finally {
        if (watching === undefined) {
          watching = new AbortController();
          void watch(watching.signal).catch(() => undefined); // ends by being aborted
        }
      }
    },
    async stop() {
      watching?.abort(new EngineError("cancelled", "stopped"));
      watching = undefined;
      set({ phase: "stopped", steps: [] });
    },
    async connect() {
      if (status.phase === "stopped") throw new EngineError("unavailable", "the connection to the engine is switched off: start it first");
      return await dial({ signal: new AbortController().signal });
    },
    async [Symbol.asyncDispose]() {
      await this.stop();
    },
  };
}
