import { EngineError, messageOf } from "#base/errors.ts";
import type { ExecCreateRequest } from "#api/exec.ts";
import type { TaskProcess } from "../tasks/tasks.ts";
import type { Container } from "./container.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { execAction, publishEvent } from "./events.ts";
import { generateId } from "./names.ts";
import { exitCodeOfFailure } from "./start.ts";
import type { Supervisor } from "./supervisor.ts";

type ExecState =
  | { readonly kind: "created" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly process: TaskProcess }
  | { readonly kind: "ended"; readonly exitCode: number; readonly pid: number };

/** One `docker exec`, from its creation until it is forgotten. */
export interface Exec {
  readonly id: string;
  readonly container: Container;
  readonly request: ExecCreateRequest;
  readonly detachKeys: Buffer;
  state: ExecState;
}

/** Ended execs are kept for inspection, the newest of them, per container. */
const endedExecsMax = 50;

/** The execs of all containers. They live in memory only: an engine that restarts has forgotten them, as dockerd has. */
export class Execs {
  readonly #supervisor: Supervisor;
  readonly #byId = new Map<string, Exec>();

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
  }

  create(container: Container, request: ExecCreateRequest): Exec {
    if (!request.Cmd || request.Cmd.length === 0) throw new EngineError("invalidArgument", "No exec command specified");
    checkExecutable(container, container.name);
    this.#checkUser(container, request);
    const exec: Exec = { id: generateId(), container, request, detachKeys: escapeKeys(request.DetachKeys ?? ""), state: { kind: "created" } };
    this.#byId.set(exec.id, exec);
    this.#forgetOld(container);
    publishEvent(this.#supervisor.backends.events, container, execAction("exec_create", request.Cmd), { execID: exec.id });
    return exec;
  }

  /** A user that the container does not know is refused before anything is made. */
  #checkUser({ run, spec }: Container, { Cmd = [], User = "" }: ExecCreateRequest): void {
    if (User === "" || run === undefined) return;
    this.#supervisor.backends.specs.execProcess({ rootfs: run.rootfs, config: spec.config, hostConfig: spec.hostConfig, exec: { Cmd, User } });
  }

  /** Class notFound for an unknown id, and for one whose container is gone. */
  get(id: string): Exec {
    const exec = this.#byId.get(id);
    if (exec === undefined) throw new EngineError("notFound", `No such exec instance: ${id}`);
    return exec;
  }

  /** Refuses what its container cannot run now, changing nothing: asked before a connection is taken over. */
  checkStartable({ container }: Exec): void {
    checkExecutable(container, container.id);
  }

  /** Starts it; resolves with its process. A command that cannot run gets the shell's exit code and rejects. */
  async start(exec: Exec, size: { width: number; height: number } | undefined): Promise<TaskProcess> {
    this.checkStartable(exec);
    if (exec.state.kind === "ended") throw new EngineError("conflict", `exec command ${exec.id} has already run`);
    if (exec.state.kind !== "created") throw new EngineError("conflict", `exec command ${exec.id} is already running`);
    exec.state = { kind: "starting" };
    const { backends } = this.#supervisor;
    const { container, request } = exec;
    publishEvent(backends.events, container, execAction("exec_start", request.Cmd ?? []), { execID: exec.id });
    try {
      const process = await this.#run(exec, size);
      exec.state = { kind: "running", process };
      void process.wait().then(
        ({ code }) => this.#ended(exec, process, code),
        () => undefined,
      );
      return process;
    } catch (error) {
      exec.state = { kind: "ended", exitCode: exitCodeOfFailure(error), pid: 0 };
      backends.journal.debug(`exec ${exec.id} did not start: ${messageOf(error)}`);
      throw error;
    }
  }

  async #run({ id, container, request }: Exec, size: { width: number; height: number } | undefined): Promise<TaskProcess> {
    const { run } = container;
    if (run === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    const { config, hostConfig } = container.spec;
    const process = this.#supervisor.backends.specs.execProcess({ rootfs: run.rootfs, config, hostConfig, exec: request });
    return await run.task.exec(id, process, {
      terminal: request.Tty ?? false,
      stdin: request.AttachStdin ?? false,
      ...(size === undefined ? {} : { size }),
    });
  }

  #ended(exec: Exec, process: TaskProcess, exitCode: number): void {
    exec.state = { kind: "ended", exitCode, pid: process.pid };
    publishEvent(this.#supervisor.backends.events, exec.container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
  }

  /** Ids of execs that have not ended, for the container's inspect. */
  idsOf(container: Container): string[] {
    return [...this.#byId.values()].filter((exec) => exec.container === container && exec.state.kind !== "ended").map(({ id }) => id);
  }

  forget(container: Container): void {
    for (const [id, exec] of this.#byId) if (exec.container === container) this.#byId.delete(id);
  }

  #forgetOld(container: Container): void {
    const ended = [...this.#byId.values()].filter((exec) => exec.container === container && exec.state.kind === "ended");
    for (const { id } of ended.slice(0, Math.max(0, ended.length - endedExecsMax))) this.#byId.delete(id);
  }
}

function escapeKeys(text: string): Buffer {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    throw new EngineError("invalidArgument", `Invalid escape keys (${text}) provided`, { cause: error });
  }
}

/** `called`: dockerd names a paused one as the request did, or by its id. */
function checkExecutable(container: Container, called: string): void {
  const { state } = container;
  if (state.kind === "restarting") throw new EngineError("conflict", `Container ${container.id} is restarting, wait until the container is running`);
  if (state.kind !== "running") throw new EngineError("conflict", `container ${container.id} is not running`);
  if (state.paused) throw new EngineError("conflict", `Container ${called} is paused, unpause the container before exec`);
}

/** The answer of `GET /exec/{id}/json`. */
export function inspectExec({ id, container, request, detachKeys, state }: Exec): Record<string, unknown> {
  const [entrypoint = "", ...args] = request.Cmd ?? [];
  const user = request.User || container.spec.config.User;
  const pid = state.kind === "running" ? state.process.pid : state.kind === "ended" ? state.pid : 0;
  return {
    ID: id,
    Running: state.kind === "running",
    ExitCode: state.kind === "ended" ? state.exitCode : null,
    ProcessConfig: {
      tty: request.Tty ?? false,
      entrypoint,
      arguments: args,
      privileged: request.Privileged ?? false,
      ...(user ? { user } : {}),
    },
    OpenStdin: request.AttachStdin ?? false,
    OpenStderr: request.AttachStderr ?? false,
    OpenStdout: request.AttachStdout ?? false,
    CanRemove: state.kind === "ended",
    ContainerID: container.id,
    DetachKeys: request.DetachKeys ? detachKeys.toString("base64") : "",
    Pid: pid,
  };
}
