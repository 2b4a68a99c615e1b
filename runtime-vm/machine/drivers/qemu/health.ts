import { statfs } from "node:fs/promises";
import type { MachineUsage } from "#api/machine.ts";
import { type DiskRoom, roomFrom } from "#base/disk-room.ts";
import { messageOf } from "#base/errors.ts";
import type { GuestUsage } from "#link/calls.ts";
import type { StatusBoard } from "#machine/status.ts";
import { diskUsage } from "./disk.ts";
import type { GuestRun } from "./run.ts";
import { DiskStarvation } from "./starvation.ts";

const intervalMs = 5_000;
/** Between the first two readings: usage is told from a pair. */
const firstMs = 1_000;
/** Without any word from the engine for so long, the guest is taken for hung. */
const hungMs = 60_000;
/** Without a link for so long, although the engine speaks, nothing but a new guest helps. */
const cutOffMs = 180_000;
/** Between two looks at the guest there is less, however late its answers are: else this process was stopped, or the computer slept. */
const lookedAgainMs = 30_000;

/**
 * Watches a running guest and shows its usage. Resolves with a sentence when it has died: QEMU has ended, or the engine has
 * been out of reach for too long. Resolves also when `signal` aborts.
 */
export async function watchHealth(run: GuestRun, board: StatusBoard, disk: string, slow: number, signal: AbortSignal): Promise<string> {
  const over = AbortSignal.any([run.ended, signal]);
  using starvation = new DiskStarvation({ qmp: run.qmp, ctl: run.ctl, board, disk });
  let before = await showUsage(run, board, disk, undefined).catch(() => undefined);
  let waitMs = firstMs;
  const awake = new Awake(performance.now());
  while (!over.aborted) {
    await pause(waitMs, over);
    waitMs = intervalMs;
    if (over.aborted) break;
    const awakeMs = awake.look(performance.now());
    if (starvation.held) continue;
    const silence = Math.min(run.ctl.silenceMs ?? 0, awakeMs);
    if (silence > hungMs * slow) return `the virtual machine has been silent for ${Math.round(silence / 1_000)} s`;
    const downMs = Math.min(run.keeper.downMs, awakeMs);
    if (downMs > cutOffMs * slow) return `no link to the engine could be made for ${Math.round(downMs / 1_000)} s`;
    before = await showUsage(run, board, disk, before).catch(() => undefined);
  }
  return messageOf(over.reason);
}

/** How long this process has been at work without a break: in one it heard of nobody, who has all the time anew to be heard of. */
export class Awake {
  #since: number;
  #looked: number;

  constructor(now: number) {
    this.#since = now;
    this.#looked = now;
  }

  look(now: number): number {
    if (now - this.#looked > lookedAgainMs) this.#since = now;
    this.#looked = now;
    return now - this.#since;
  }
}

async function showUsage(run: GuestRun, board: StatusBoard, disk: string, before: GuestUsage | undefined): Promise<GuestUsage> {
  const link = await run.keeper.link(AbortSignal.timeout(intervalMs));
  const now = await link.guest.call("usage", null, { signal: AbortSignal.timeout(intervalMs) });
  const share = before === undefined ? {} : cpuShare(now, before);
  const { memoryBytes, memoryTotalBytes } = now;
  board.set({ usage: { ...share, memoryBytes, memoryTotalBytes, diskBytes: await diskUsage(disk), disk: roomToGrow(now.disk, roomFrom(await statfs(disk))) } });
  return now;
}

/** What is free on the data disk can be written only as far as the disk it grows on has room. */
export function roomToGrow(machine: DiskRoom, computer: DiskRoom): Required<MachineUsage>["disk"] {
  return computer.freeBytes < machine.freeBytes ? { ...machine, of: "computer", freeBytes: computer.freeBytes } : { ...machine, of: "machine" };
}

/** A processor that was switched on in between makes more work than time: it counts from the next pair on. */
function cpuShare(now: GuestUsage, before: GuestUsage): { cpuPercent?: number } {
  const [busy, total] = [now.cpuBusyTicks - before.cpuBusyTicks, now.cpuTotalTicks - before.cpuTotalTicks];
  return total > 0 && busy <= total ? { cpuPercent: Math.max(0, (100 * busy) / total) } : {};
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
