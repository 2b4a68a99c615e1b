import { codeOf, EngineError, isDiskFull, messageOf } from "#base/errors.ts";

/** A damaged compressed stream is the sender's fault, a full disk is ours. */
export function unpackFailure(error: unknown): EngineError {
  return error instanceof EngineError
    ? error
    : new EngineError(isDiskFull(error) ? "exhausted" : classOfCode(codeOf(error) ?? ""), messageOf(error), { cause: error });
}

function classOfCode(code: string): EngineError["class"] {
  return code.startsWith("Z_") || code.startsWith("ZSTD_") || code === "ERR_BUFFER_TOO_LARGE" ? "invalidArgument" : "internal";
}
