import { existsSync, readFileSync } from "node:fs";
import { EngineError, messageOf } from "#base/errors.ts";

/** Where dockerd has it, and this engine too. */
const byDefault = "/etc/docker/daemon.json";

/** The text of daemon.json. A missing file is fine unless it was asked for. */
export function readConfigFile(path: string | undefined): string | undefined {
  if (path === undefined) return existsSync(byDefault) ? readFileSync(byDefault, "utf8") : undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new EngineError("invalidArgument", `--config ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
