import { existsSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import type { EngineConfig, RuntimeChoice } from "./config.ts";
import { stockRuntimes } from "./values.ts";

/** The runtime called `name` in daemon.json; undefined for the engine's own. A program of the host is found there, others in the engine's own tree. */
export function chosenRuntime(config: Pick<EngineConfig, "runtimes" | "hostPrefix">, name: string): RuntimeChoice | undefined {
  if (name === "" || stockRuntimes.includes(name)) return undefined;
  const found = config.runtimes[name];
  if (found === undefined) throw new EngineError("invalidArgument", `unknown or invalid runtime name: ${name}`);
  const program = (path: string): string => (path.startsWith("/") && existsSync(config.hostPrefix + path) ? config.hostPrefix + path : path);
  return found.kind === "oci" ? { ...found, path: program(found.path) } : { ...found, type: program(found.type) };
}
