import { expect, test } from "vitest";
import { eventLogSuite } from "#core/events/events.suite.ts";
import { MemoryEventLog } from "./events.ts";

eventLogSuite("memory", 20, () => new MemoryEventLog({ max: 20 }));

test("a reader that stops reading leaves nothing behind", async () => {
  const log = new MemoryEventLog();
  log.publish({ type: "container", action: "start", id: "a" });
  for await (const _event of log.follow({ sinceNano: 0n, signal: new AbortController().signal })) break;
  expect(log.readerCount).toBe(0);
});
