import { closeSync, constants, mkdirSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";
import type { ContainerBackends } from "./backends.ts";

/** open(2) flag that Node does not name: a descriptor that only stands for a place. */
const openPath = 0o10000000;

/** Paths that mean "the engine I am talking to", wherever its socket really is. */
const engineSockets = new Set(["/var/run/docker.sock", "/run/docker.sock", "/var/run/docker.sock.raw"]);

type Backends = Pick<ContainerBackends, "kernel" | "config">;

/**
 * The path at which this process sees the host's `path`: below the host prefix, with every link resolved as the host would
 * resolve it. Undefined when there is nothing.
 */
export function resolveHostPath({ kernel, config }: Backends, path: string): string | undefined {
  if (engineSockets.has(posix.normalize(path))) return config.socket;
  try {
    return atDescriptor(kernel.openInRoot(config.hostPrefix || "/", path, openPath));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** As `resolveHostPath`; what is missing is made as directories, as `docker run -v` does, and told of. */
export function ensureHostPath(backends: Backends, path: string, onMade: (made: string) => void): string {
  const found = resolveHostPath(backends, path);
  if (found !== undefined) return found;
  const parent = posix.dirname(path);
  if (parent === path) throw new EngineError("internal", `the host's root directory cannot be opened at ${backends.config.hostPrefix || "/"}`);
  const made = posix.join(ensureHostPath(backends, parent, onMade), posix.basename(path));
  try {
    mkdirSync(made, { mode: 0o755 });
    onMade(made);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") {
      throw new EngineError("invalidArgument", `error while creating mount source path '${path}': ${messageOf(error)}`, { cause: error });
    }
  }
  return made;
}

/** A directory or file inside `root`, links resolved within it; undefined when there is nothing. */
export function resolveInRoot(kernel: Backends["kernel"], root: string, path: string): string | undefined {
  try {
    return atDescriptor(kernel.openInRoot(root, path, openPath));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function atDescriptor(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** Opens a directory inside `root` and runs `work` with a path that stays with it, whatever is renamed meanwhile. Undefined: no such directory. */
export async function inDirectory<T>(kernel: Backends["kernel"], root: string, path: string, work: (held: string) => Promise<T>): Promise<T | undefined> {
  let fd: number;
  try {
    fd = kernel.openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
  try {
    return await work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
