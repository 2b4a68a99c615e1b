import { EngineError } from "#base/errors.ts";

/** Lines of a Dockerfile, counted from 1, both ends included. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Something in a Dockerfile is wrong, and where. `syntax`: the file could not be taken apart; `instruction`: one of its instructions
 * is not sound, and the message names its line.
 */
export class DockerfileError extends EngineError {
  readonly kind: "syntax" | "instruction";
  readonly reason: string;
  readonly lines: LineRange | undefined;

  constructor(kind: "syntax" | "instruction", reason: string, lines?: LineRange, options?: ErrorOptions) {
    super("invalidArgument", kind === "syntax" || lines === undefined ? reason : `dockerfile parse error on line ${lines.start}: ${reason}`, options);
    this.kind = kind;
    this.reason = reason;
    this.lines = lines;
  }
}
