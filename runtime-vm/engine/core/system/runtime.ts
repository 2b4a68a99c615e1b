import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What the OCI runtime says of itself. Asked when `/version` or `/info` is, once: starting a process is not for the way to the first answer. */
export interface RuntimeFacts {
  version(): Promise<string>;
  /** What it prints for `features`; "" when it knows no such thing. */
  features(): Promise<string>;
}

export function openRuntimeFacts(): RuntimeFacts {
  return { version: once(crunVersion), features: once(crunFeatures) };
}

async function crunVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)("crun", ["--version"]);
  return /crun version (\S+)/.exec(stdout)?.[1] ?? "";
}

/** What the runtime says it can, as it prints it; "" when it says nothing. */
async function crunFeatures(): Promise<string> {
  const { stdout } = await promisify(execFile)("crun", ["features"]).catch(() => ({ stdout: "" }));
  return stdout === "" ? "" : JSON.stringify(JSON.parse(stdout));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
