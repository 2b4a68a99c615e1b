import type { ContainerStatus, HealthState } from "#api/containers.ts";
import type { ContainerLog } from "../logs/logs.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { Exit, Task } from "../tasks/tasks.ts";
import type { SentSignal } from "../why/facts.ts";
import type { HealthMonitor } from "./health.ts";
import { InputGate } from "./input.ts";
import type { ContainerRecord, ContainerSpec, Ended, Phase, Progress } from "./record.ts";
import { Viewers } from "./viewers.ts";
import { ExitWaiters } from "./waiters.ts";

/** What is alive of a container between its start and its end. */
export interface Run {
  readonly task: Task;
  /** Another one after each network connected or disconnected. */
  sandbox: Sandbox;
  /** Mounted root directory. */
  readonly rootfs: string;
  readonly startedAt: string;
  /** Settles when the process has ended and its end is recorded. */
  readonly ended: Promise<Ended>;
  /** Settles when everything it printed is in its log. */
  readonly drained: Promise<void>;
  readonly health: HealthMonitor | undefined;
  /** The last signals sent to it through this engine. */
  sent: readonly SentSignal[];
}

/** What a container does right now, with exactly what is alive in it. */
export type ContainerState =
  | { readonly kind: "created"; readonly exitCode: number; readonly error: string }
  | { readonly kind: "running"; readonly paused: boolean; readonly run: Run }
  | { readonly kind: "restarting"; readonly last: Ended; readonly timer: AbortController }
  | { readonly kind: "exited"; readonly last: Ended };

/** One container in memory. Whoever changes `state` holds the container's lock, except for the end of a process, which nobody can hold up. */
export class Container {
  readonly id: string;
  name: string;
  spec: ContainerSpec;
  state: ContainerState;
  restartCount: number;
  manuallyStopped: boolean;
  /** Whatever its policy says, it stays down when it ends now. Until it is started by hand, or the engine is. */
  endsForGood: boolean;
  /** Set once removal began: it will not come back. */
  removing = false;
  /** Its end is part of a restart by hand: `--rm` does not remove it then. */
  keepOnExit = false;
  /** When the run before this one ended. */
  finishedBefore: string | undefined;
  /** What its networks were in the run before, of which something stays to be seen. */
  lastEndpoints: Sandbox["endpoints"] = {};
  /** Addresses that it had before it was removed and brought back, by network name; until it starts again. */
  formerly: Readonly<Record<string, readonly string[]>> | undefined;
  /** The last word of the health check, kept after the end. */
  lastHealth: HealthState | undefined;
  /** How its last runs ended under this engine, newest last. */
  ends: readonly Ended[] = [];
  /** Delay before the next restart by its policy. */
  backoffMs = 0;
  /** The last run's mounts, network and task are gone. */
  settled: Promise<void> = Promise.resolve();
  log: Promise<ContainerLog> | undefined;
  readonly viewers = new Viewers();
  readonly exits = new ExitWaiters();
  readonly input = new InputGate();

  constructor(record: ContainerRecord, state: ContainerState) {
    this.id = record.id;
    this.name = record.name;
    this.spec = record.spec;
    this.state = state;
    this.restartCount = record.progress.restartCount;
    this.manuallyStopped = record.progress.manuallyStopped;
    this.endsForGood = record.progress.manuallyStopped;
  }

  get status(): ContainerStatus {
    if (this.removing) return "removing";
    switch (this.state.kind) {
      case "running":
        return this.state.paused ? "paused" : "running";
      case "created":
      case "restarting":
      case "exited":
        return this.state.kind;
    }
  }

  /** The run of a process that has not ended, paused or not. */
  get run(): Run | undefined {
    return this.state.kind === "running" ? this.state.run : undefined;
  }

  /** dockerd counts a container that waits for its restart as running. */
  get isRunning(): boolean {
    return this.state.kind === "running" || this.state.kind === "restarting";
  }

  /** Whether somebody will ask after a power cut what it was doing. */
  get durable(): boolean {
    const { Name: name = "no" } = this.spec.hostConfig.RestartPolicy ?? {};
    return name !== "no" && name !== "";
  }

  get progress(): Progress {
    return { phase: phaseOf(this.state), restartCount: this.restartCount, manuallyStopped: this.manuallyStopped };
  }
}

function phaseOf(state: ContainerState): Phase {
  switch (state.kind) {
    case "created":
      return { kind: "created", exitCode: state.exitCode, error: state.error };
    case "running":
      return { kind: "running", startedAt: state.run.startedAt, paused: state.paused };
    case "restarting":
    case "exited":
      return { kind: state.kind, ...state.last };
  }
}

export type { Exit };
