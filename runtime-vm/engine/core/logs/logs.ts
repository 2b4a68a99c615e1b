import type { TaskStdio } from "../tasks/tasks.ts";
import type { LogSubject } from "./subject.ts";

export type LogStream = "stdout" | "stderr";

/** A piece of a container's output. `timeNano` is strictly increasing within one container. */
export interface LogChunk {
  readonly stream: LogStream;
  readonly timeNano: bigint;
  /** Whole line with its newline, or a part of one longer than the line limit. */
  readonly bytes: Buffer;
}

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceNano?: bigint;
  readonly untilNano?: bigint;
  /** Last n lines; absent: all. */
  readonly tail?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** How lines are dressed for a client. */
export interface LogDress {
  /** Bare lines instead of stdcopy frames (TTY). */
  readonly raw: boolean;
  readonly timestamps: boolean;
  /** What `labels`, `env` and `tag` of the driver's options added, before each line. */
  readonly details: boolean;
}

/** One container's log, from create to remove; it survives restarts of container and engine. */
export interface ContainerLog extends AsyncDisposable {
  /** Called before a task is made or taken up: a driver that sends elsewhere connects. Rejects, in the driver's words, when it cannot. */
  connect?(): Promise<void>;
  /** Reads the task's output until it ends; the container never waits for a log reader. Resolves when everything is written. */
  consume(stdio: TaskStdio): Promise<void>;
  /**
   * Live raw output for `attach`, from the moment of this call (not of the first read) to the end of the task that runs or is
   * started next; a reader that lags past the limit is fed from the file. `replay`: what was logged before comes first, without
   * a gap or a repetition. The bytes are good until the next are asked for.
   */
  attach(opts: { stdout: boolean; stderr: boolean; replay?: boolean; signal: AbortSignal }): AsyncIterable<{ stream: LogStream; bytes: Buffer }>;
  /** Follows only while a task writes; ends with it. One chunk a line: for large logs `readFrames` is several times faster. */
  read(query: LogQuery): AsyncIterable<LogChunk>;
  /** The same as bytes ready for the wire, many lines a buffer, good until the next are asked for. */
  readFrames(query: LogQuery, dress: LogDress): AsyncIterable<Buffer>;
  readonly path: string;
}

export interface LogDriver {
  /** Options as in HostConfig.LogConfig.Config; unknown ones and bad values are invalidArgument. */
  open(subject: LogSubject, options: Readonly<Record<string, string>>): Promise<ContainerLog>;
  remove(containerId: string): Promise<void>;
}

/** Sees a task's output as it comes. A promise: it takes no more of this stream until that resolves. */
export type LogTap = (stream: LogStream, bytes: Buffer) => Promise<unknown> | undefined;

/** Where drivers that send output elsewhere keep a copy, so that it can be read and attached to as any. */
export interface LogCache {
  /** `kept`: false, and only attached clients get it. */
  open(subject: LogSubject, options: Readonly<Record<string, string>>, opts: { kept: boolean; tap: LogTap }): Promise<ContainerLog>;
  remove(containerId: string): Promise<void>;
}
