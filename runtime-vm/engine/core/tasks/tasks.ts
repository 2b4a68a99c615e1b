import type { Readable, Writable } from "node:stream";
import type { RuntimeChoice } from "../config/config.ts";
import type { OciProcess, OciSpec } from "../specs/spec.ts";
import type { OutputSpools } from "./spool.ts";

/** How a process ended. `at` is when the kernel said so. */
export interface Exit {
  /** 0-255; 128+n when a signal ended it. */
  readonly code: number;
  readonly at: Date;
}

/** The read ends of a process's output and the write end of its input. With a terminal there is no stderr. */
export interface TaskStdio {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr?: Readable;
  /** The same output for a log that may not lose any of it: whoever asks for this leaves the streams above alone, and disposes it. */
  spools(): OutputSpools;
}

/** One running process of a container: its init, or an exec. */
export interface TaskProcess {
  readonly pid: number;
  readonly stdio: TaskStdio;
  /** Settles when the process ended; may be asked many times, also after the end. Does not wait for mounts or networks to go. */
  wait(): Promise<Exit>;
  kill(signal: number): Promise<void>;
  resize(size: { width: number; height: number }): Promise<void>;
  /** Half-closes stdin; what was written is still delivered. */
  closeStdin(): Promise<void>;
}

/** A container known to a shim, from Create until `delete`. */
export interface Task extends TaskProcess {
  readonly id: string;
  start(): Promise<void>;
  exec(execId: string, process: OciProcess, opts: { terminal: boolean; stdin: boolean; size?: { width: number; height: number } }): Promise<TaskProcess>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Every process of the container, from cgroup.procs. */
  pids(): readonly number[];
  /** cgroup v2 directory, for stats and OOM counting. */
  readonly cgroup: string;
  /**
   * Frees the shim's record, bundle and FIFOs. The process must have ended, have been killed by SIGKILL, or never have started. Once this
   * resolves nothing uses the root directory any more; the shim's own book-keeping may go on for some milliseconds (`create` and
   * `close` wait for it).
   */
  delete(): Promise<Exit>;
  /** The engine goes: the container lives on, and output that no log has taken waits for the next engine. */
  disconnect(): void;
}

export interface TaskRuntime {
  /** Makes the bundle and FIFOs, calls the shim's Create; nothing is left when it rejects. Class invalidArgument: the command cannot run (126/127 texts of crun kept in the message). */
  create(what: {
    id: string;
    rootfs: string;
    spec: OciSpec;
    terminal: boolean;
    stdin: boolean;
    size?: { width: number; height: number };
    /** Absent: the engine's own. */
    runtime?: RuntimeChoice;
  }): Promise<Task>;
  /** After an engine restart: finds the task again, its output since then unread in the FIFOs. Undefined when nothing of it is left. */
  restore(what: { id: string; terminal: boolean; stdin: boolean }): Promise<Task | undefined>;
  /** Ids of all tasks on record, also those nobody has restored: what the engine does not know of should be killed and deleted. */
  recorded(): readonly string[];
  /** Disposes connections only; containers live on. `stopAll` also ends the shims. */
  close(opts: { stopShims: boolean }): Promise<void>;
}
