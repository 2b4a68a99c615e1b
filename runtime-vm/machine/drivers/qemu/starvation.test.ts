import { expect, test } from "vitest";
import { Emitter } from "#base/event.ts";
import { StatusBoard } from "#machine/status.ts";
import type { QmpEvent } from "./qmp.ts";
import { DiskStarvation, starvedNotice } from "./starvation.ts";

const mib = 2 ** 20;

/** A monitor of a guest whose disk fails to grow while `free` is under what one write takes. */
function openGuest(first: string) {
  const events = new Emitter<QmpEvent>();
  const guest = { status: first, free: 0, conts: 0 };
  const execute = async (command: string): Promise<unknown> => {
    if (command === "query-status") return await Promise.resolve({ status: guest.status });
    guest.conts += 1;
    guest.status = "running";
    return {};
  };
  const board = new StatusBoard("qemu", "tcg");
  const starvation = new DiskStarvation({
    qmp: { events, execute },
    ctl: { silenceMs: 0 },
    board,
    disk: "/disk",
    freeBytes: () => Promise.resolve(guest.free),
    everyMs: 1,
  });
  return { guest, board, starvation, stop: () => events.fire({ event: "STOP", data: {} }), [Symbol.dispose]: () => starvation[Symbol.dispose]() };
}

test("a guest paused for want of room says so, is held, and goes on once there is room", async () => {
  using paused = openGuest("io-error");
  paused.stop();
  await expect.poll(() => paused.board.current.notices).toEqual([starvedNotice]);
  expect(paused.starvation.held).toBe(true);
  paused.guest.free = 100 * mib;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(paused.guest.conts).toBe(0);
  paused.guest.free = 256 * mib;
  await expect.poll(() => paused.starvation.held).toBe(false);
  expect(paused.guest).toMatchObject({ conts: 1, status: "running" });
  expect(paused.board.current.notices).toEqual([]);
});

test.each(["paused", "internal-error", "shutdown"])("a guest that is %s for another reason is left alone", async (status) => {
  using other = openGuest(status);
  other.guest.free = 1024 * mib;
  other.stop();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(other.guest.conts).toBe(0);
  expect(other.starvation.held).toBe(false);
});
