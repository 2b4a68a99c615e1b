import { readFileSync } from "node:fs";
import { EngineError } from "#base/errors.ts";

/** The applets of a busybox binary of any architecture, read from the NUL-separated table of names it is compiled with. */
export function appletsOf(path: string): readonly string[] {
  const file = readFileSync(path);
  // The table is sorted, and these are its first two names.
  const start = file.indexOf("[\0[[\0", 0, "latin1");
  if (start < 0) throw new EngineError("invalidArgument", `${path} holds no table of applets: it is no busybox`);
  const end = file.indexOf("\0\0", start, "latin1");
  return file.toString("latin1", start, end).split("\0");
}
