import { readFile, rm } from "node:fs/promises";
import { withDeadline } from "#base/deadline.ts";
import { EngineError } from "#base/errors.ts";
import type { MachinePaths } from "#machine/names.ts";
import { Ctl } from "./ctl.ts";
import { connectPort } from "./process.ts";
import { Qmp } from "./qmp.ts";

/**
 * A QEMU that an earlier, crashed host process left behind still writes to the data disk: it is shut down as usual
 * (containers stop by their signal) before another one starts. Resolves with whether there was one.
 */
export async function endLeftover(paths: MachinePaths, graceMs: number): Promise<boolean> {
  const pid = Number(await readFile(paths.pid, "utf8").catch(() => ""));
  if (!pid || !(await isOurs(pid, paths))) {
    await rm(paths.pid, { force: true });
    return false;
  }
  await withDeadline(graceMs, "shutting down the virtual machine left by an earlier run", async (signal) => {
    const ctl = new Ctl(await connectPort(paths.ctl, signal));
    try {
      await ctl.shutdown(signal);
      await gone(pid, signal);
    } finally {
      ctl.close();
    }
  }).catch(() => quit(pid, paths));
  await rm(paths.pid, { force: true });
  return true;
}

async function quit(pid: number, paths: MachinePaths): Promise<void> {
  await withDeadline(5_000, "ending QEMU", async (signal) => {
    const qmp = await Qmp.connect(await connectPort(paths.qmp, signal), signal);
    await qmp.execute("quit").catch(() => {});
    qmp.close();
    await gone(pid, signal);
  }).catch(async () => {
    process.kill(pid, "SIGKILL");
    await withDeadline(5_000, `killing the left-over QEMU ${pid}`, (signal) => gone(pid, signal));
  });
}

/** Process ids are reused: only a QEMU with our data disk on its command line is ours. */
async function isOurs(pid: number, paths: MachinePaths): Promise<boolean> {
  if (process.platform !== "linux") return isAlive(pid);
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes("qemu-system") && command.includes(paths.disk.replaceAll(",", ",,"));
}

async function gone(pid: number, signal: AbortSignal): Promise<void> {
  while (isAlive(pid)) {
    if (signal.aborted) throw new EngineError("unavailable", `process ${pid} has not ended`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
