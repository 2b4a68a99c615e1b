/**
 * One stream of a process's output on its way to a log: the kernel moves it from the FIFO to a file that outlives the engine, without its
 * passing through the engine. A byte is in one of the two whenever the engine is killed. Offsets count from the process's first byte.
 */
export interface OutputSpool {
  /** Of the file, to read from at any offset that was not freed. Known once there is output. */
  readonly fd: number;
  /** Where the next output goes. After a restart of the engine: the end of what an earlier one had moved. */
  readonly end: number;
  /** What waits in the pipe at most: the program waits when it is full. */
  readonly pipeBytes: number;
  /**
   * Moves what there is, at most `bytesMax`, and waits for it when there is nothing. Resolves with how much it was; 0: the output is over.
   * Rejects with class `cancelled` when the engine lets go of the task.
   */
  fill(bytesMax: number): Promise<number>;
  /** Nobody needs what is before `offset` any more, not even after a restart. */
  free(offset: number): void;
  /** Forgets what was moved to `offset` and after it, as if the process had not printed it. */
  cut(offset: number): void;
}

/** All output of one process. Disposing closes the files; they go with the task. */
export interface OutputSpools extends Disposable {
  readonly stdout: OutputSpool;
  readonly stderr?: OutputSpool;
  /** A file beside them, empty at first, in which a log keeps how much it has taken. */
  readonly progress: number;
}
