import { expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import { eventFilter } from "./filter.ts";

const event = (Type: string, Action: string, ID: string, Attributes: Record<string, string> = {}): EventMessage => ({
  Type,
  Action,
  Actor: { ID, Attributes },
  scope: "local",
  time: 0,
  timeNano: 0,
});
const start = event("container", "start", "abcdef", { name: "web", image: "nginx:1", tier: "front" });

test.each<[Record<string, string[]>, boolean]>([
  [{}, true],
  [{ type: ["container"] }, true],
  [{ type: ["image", "network"] }, false],
  [{ event: ["start", "stop"] }, true],
  [{ container: ["web"] }, true],
  [{ container: ["abc"] }, true],
  [{ container: ["we"] }, true],
  [{ container: ["eb"] }, false],
  [{ container: ["other"] }, false],
  [{ service: ["web"] }, false],
  [{ nobody: ["x"] }, true],
  [{ image: ["nginx"] }, true],
  [{ image: ["nginx:1"] }, true],
  [{ image: ["nginx:2"] }, false],
  [{ label: ["tier"] }, true],
  [{ label: ["tier=back"] }, false],
  [{ type: ["container"], event: ["die"] }, false],
])("%j passes a container's start: %s", (filters, passes) => {
  expect(eventFilter(filters)(start)).toBe(passes);
});

test("actions with a tail are found by their head", () => {
  expect(eventFilter({ event: ["exec_create"] })(event("container", "exec_create: ls", "a"))).toBe(true);
  expect(eventFilter({ event: ["exec"] })(event("container", "exec_create: ls", "a"))).toBe(false);
});
