import { readFile } from "node:fs/promises";
import { parseConfigObject } from "#api/gojson.ts";
import { codeOf } from "#base/errors.ts";
import { writeAtomically } from "./files.ts";

/** The person's daemon.json as it is; "" when there is none. */
export async function readDaemonConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

/** Replaces it whole, by the person's own order. Class `invalidArgument` with line and column, and nothing is written, when it is no JSON object. */
export async function writeDaemonConfig(path: string, text: string): Promise<void> {
  parseConfigObject(text);
  await writeAtomically(path, text);
}
