import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { daemonOf, textOf } from "../fixtures/processes.ts";
import { createStarted, removeAll } from "./row.ts";
import type { Target } from "./target.ts";

/**
 * `crun run` of the very bundle that ours makes of a container, in the engine's own namespaces, by a process that does nothing else: the
 * floor under a container's whole life.
 */
export interface Bare extends AsyncDisposable {
  /** Milliseconds of one run to its end. */
  measure(): Promise<number>;
}

/** Beside the engine: takes the bundle of a container that sleeps, and runs a program that ends in it for each line it reads. */
const script = `
const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const [from] = process.argv.slice(1);
const bundle = mkdtempSync("/tmp/bare-");
const spec = readFileSync(from + "/config.json").toString().replace('"args":["sleep","600"]', '"args":["true"]').replace(/("cgroupsPath":"[^"]*\\/)[^"/]+"/, '$1bare"');
writeFileSync(bundle + "/config.json", spec);
let runs = 0;
require("node:readline").createInterface({ input: process.stdin }).on("line", () => {
  const start = performance.now();
  const { status, stderr } = spawnSync("crun", ["--root", bundle + "/state", "run", "--bundle", bundle, "bare-" + (runs += 1)]);
  console.log(status === 0 ? performance.now() - start : "failed: " + stderr);
}).on("close", () => rmSync(bundle, { recursive: true }));
`;

/** Undefined: the target is none of ours. */
export async function bareRun(target: Target): Promise<Bare | undefined> {
  const pid = daemonOf(target.socket);
  const root = /\0--root\0([^\0]+)\0/.exec(textOf(`/proc/${pid}/cmdline`))?.[1];
  if (pid === undefined || root === undefined) return undefined;
  const id = await createStarted(target, "bare", ["sleep", "600"]);
  const inside = ["--target", pid, "--mount", "--net", "--cgroup", "/usr/bin/node", "-e", script, `${root}/run/bundles/${id}`];
  const child = spawn("nsenter", inside, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async measure() {
      child.stdin.write("\n");
      const { value } = await lines.next();
      if (!/^[\d.]+$/.test(String(value))) throw new Error(`a bare crun run ${String(value)}`);
      return Number(value);
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.stdin.end();
      await gone;
      await removeAll(target);
    },
  };
}
