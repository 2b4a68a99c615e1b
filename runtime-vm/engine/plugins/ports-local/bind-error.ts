import { codeOf, EngineError, messageOf } from "#base/errors.ts";

/** Why a port cannot be had, in the words of errno. */
export function bindError(error: unknown, hostIp: string): EngineError {
  const code: string = codeOf(error) ?? "";
  switch (code) {
    case "EADDRINUSE":
      return new EngineError("conflict", "address already in use", { cause: error });
    case "EADDRNOTAVAIL":
      // The unspecified address is missing only where its whole family is.
      return new EngineError(hostIp === "::" ? "unavailable" : "internal", "cannot assign requested address", { cause: error });
    case "EAFNOSUPPORT":
      return new EngineError("unavailable", "address family not supported by protocol", { cause: error });
    case "EACCES":
      return new EngineError("internal", "permission denied", { cause: error });
    default:
      return new EngineError("internal", messageOf(error), { cause: error });
  }
}
