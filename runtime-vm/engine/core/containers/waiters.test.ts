import { expect, test } from "vitest";
import { ExitWaiters } from "./waiters.ts";

const signal = new AbortController().signal;

test("each condition wakes its own waiters, once", async () => {
  const waiters = new ExitWaiters();
  const first = waiters.next("next-exit", signal);
  const removed = waiters.next("removed", signal);
  waiters.fire("next-exit", { exitCode: 3 });
  waiters.fire("next-exit", { exitCode: 4 });
  expect(await first).toEqual({ exitCode: 3 });
  waiters.fire("removed", { exitCode: 4 });
  expect(await removed).toEqual({ exitCode: 4 });
});

test("who gives up is let go and told why", async () => {
  const waiters = new ExitWaiters();
  const stop = new AbortController();
  const waiting = waiters.next("not-running", stop.signal);
  stop.abort(new Error("the client is gone"));
  await expect(waiting).rejects.toThrow("the client is gone");
  waiters.fire("not-running", { exitCode: 0 });
});
