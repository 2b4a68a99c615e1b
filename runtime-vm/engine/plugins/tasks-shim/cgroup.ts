import { delay } from "#base/deadline.ts";
import { codeOf, EngineError } from "#base/errors.ts";
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Every process in a cgroup v2 directory and below it. A directory that is gone has none. */
export function readPids(cgroup: string): number[] {
  const pids: number[] = [];
  walk(cgroup, (dir) => {
    for (const line of readFileSync(join(dir, "cgroup.procs"), "utf8").split("\n")) if (line) pids.push(Number(line));
  });
  return pids;
}

/** SIGKILL to all of them at once (cgroup.kill, kernel 5.14). */
export function killCgroup(cgroup: string): void {
  ignoreMissing(() => writeFileSync(join(cgroup, "cgroup.kill"), "1"));
}

const freezeMsMax = 10_000;

/** Resolves when every process in it stands still, or moves again. */
export async function waitFrozen(cgroup: string, frozen: boolean): Promise<void> {
  const wanted = `frozen ${frozen ? 1 : 0}`;
  for (let waited = 0; !readFileSync(join(cgroup, "cgroup.events"), "utf8").includes(wanted); waited++) {
    if (waited >= freezeMsMax) throw new EngineError("unavailable", `the kernel did not ${frozen ? "freeze" : "thaw"} ${cgroup} within ${freezeMsMax} ms`);
    await delay(1);
  }
}

/** Removes the directory with those below it. False: processes that were told to go are still in it. */
export function removeCgroup(cgroup: string): boolean {
  const dirs: string[] = [];
  walk(cgroup, (dir) => dirs.push(dir));
  try {
    for (const dir of dirs.reverse()) ignoreMissing(() => rmdirSync(dir));
    return true;
  } catch (error) {
    if (codeOf(error) === "EBUSY") return false;
    throw error;
  }
}

const removeMsMax = 5_000;

/** Kills what is left in it (processes of a container that shares the machine's process namespace) and removes it. */
export async function clearCgroup(cgroup: string): Promise<void> {
  for (let waited = 0; !removeCgroup(cgroup); waited++) {
    if (waited >= removeMsMax) throw new EngineError("unavailable", `processes in ${cgroup} do not go away`);
    killCgroup(cgroup);
    await delay(1);
  }
}

function walk(dir: string, visit: (dir: string) => void): void {
  ignoreMissing(() => {
    visit(dir);
    for (const entry of readdirSync(dir, { withFileTypes: true })) if (entry.isDirectory()) walk(join(dir, entry.name), visit);
  });
}

function ignoreMissing(work: () => void): void {
  try {
    work();
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOENT" && code !== "ENODEV") throw error;
  }
}
