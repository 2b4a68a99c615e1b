import { EngineError, messageOf } from "#base/errors.ts";

/**
 * The runtime's refusals in the words clients know. crun writes strerror's capitals (`Permission denied`), while the docker CLI finds
 * the exit codes 126 and 127 by the lower-case texts of Go; those of runc are given instead, the rest of crun's sentence is kept.
 */
export function runtimeError(what: "create" | "start" | "exec", error: unknown): EngineError {
  if (error instanceof EngineError && (error.class === "unavailable" || error.class === "cancelled")) return error;
  const said = messageOf(error);
  const reason = stripPrefix(said);
  const command = commandFailure(reason);
  const prefix = what === "exec" ? "OCI runtime exec failed: exec failed: unable to start container process" : createPrefix;
  return new EngineError(command ? "invalidArgument" : "internal", `${prefix}: ${command ?? reason}`, { cause: error });
}

const createPrefix =
  "failed to create task for container: failed to create shim task: OCI runtime create failed: crun create failed: unable to start container process: error during container init";

/** `OCI runtime create failed: REASON: unknown` is how the shim wraps the runtime's last error line. */
function stripPrefix(message: string): string {
  return message
    .replace(/^.*?OCI runtime (?:create|start|exec) failed: /s, "")
    .replace(/: unknown$/, "")
    .replace(/^crun: /, "")
    .trim();
}

/** The failures that are the command's: 127 not found, 126 found but not runnable. */
function commandFailure(reason: string): string | undefined {
  const missing = /(?:executable file `(.*)` not found|cannot find `(.*)`) in \$PATH/s.exec(reason) ?? /executable file `(.*)` not found/s.exec(reason);
  if (missing) {
    const name = missing[1] ?? missing[2] ?? "";
    return name.includes("/")
      ? `exec: ${JSON.stringify(name)}: stat ${name}: no such file or directory`
      : `exec: ${JSON.stringify(name)}: executable file not found in $PATH`;
  }
  const notExecutable = /^the path `(.*)` exists but it is not executable/s.exec(reason);
  if (notExecutable) return `exec: ${JSON.stringify(notExecutable[1])}: permission denied`;
  const notFile = /^the path `(.*)` is not a regular file/s.exec(reason);
  if (notFile) return `exec: ${JSON.stringify(notFile[1])}: is a directory: permission denied`;
  const directory = /^chdir to `(.*)`: (.*)$/s.exec(reason);
  if (directory) return directoryFailure(directory[1] ?? "", (directory[2] ?? "").toLowerCase());
  return /\b(?:exec|execve|executable|chdir|cwd)\b/i.test(reason) ? lowerCased(reason) : undefined;
}

/** runc's sentence, with the advice that dockerd adds where a file stands for a directory. */
function directoryFailure(path: string, why: string): string {
  const advice = why === "not a directory" ? `: ${mountAdvice}` : "";
  return `chdir to cwd (${JSON.stringify(path)}) set in config.json failed: ${why}${advice}`;
}

const mountAdvice = "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";

/** The C library's texts that clients look for, as Go writes them; undefined when the reason holds none. */
function lowerCased(reason: string): string | undefined {
  const found = ["Permission denied", "No such file or directory", "Exec format error", "Is a directory", "Not a directory"].filter((text) =>
    reason.includes(text),
  );
  return found.length > 0 ? found.reduce((text, errno) => text.replaceAll(errno, errno.toLowerCase()), reason) : undefined;
}
