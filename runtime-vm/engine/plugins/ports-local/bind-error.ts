import { readdir, readFile, readlink } from "node:fs/promises";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { byHolder, portHolder, type ProcFiles } from "#base/port-holder.ts";

/** As bytes first: Node 24.21 breaks its heap on long files of /proc that it reads as text. */
const proc: ProcFiles = { text: async (path) => (await readFile(path)).toString(), list: (path) => readdir(path), link: (path) => readlink(path) };

/** Why a port cannot be had, in the words of errno, with who has it. */
export async function bindError(error: unknown, { proto, hostIp, hostPort }: { proto: "tcp" | "udp"; hostIp: string; hostPort: number }): Promise<EngineError> {
  const code: string = codeOf(error) ?? "";
  switch (code) {
    case "EADDRINUSE":
      return new EngineError("conflict", `address already in use${byHolder(await portHolder(proc, proto, hostIp, hostPort))}`, { cause: error });
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
