// @vitest-environment node
import { expect, test } from "vitest";
import { createActs } from "./acts.ts";

const targets = [
  { id: "1", name: "one" },
  { id: "2", name: "two" },
];

test("one failure does not stop the others, and is returned with its reason", async () => {
  const acts = createActs();
  const reason = new Error("no");
  const failures = await acts.run("stop", targets, (id) => (id === "2" ? Promise.reject(reason) : Promise.resolve()));
  expect(failures).toEqual([{ id: "2", name: "two", act: "stop", error: reason }]);
  expect(acts.pending.getState().byId.size).toBe(0);
});

test("a second order for an object under way is not sent", async () => {
  const acts = createActs();
  let calls = 0;
  let finish = (): void => undefined;
  const work = (): Promise<void> => {
    calls += 1;
    return new Promise((resolve) => (finish = resolve));
  };
  const [one] = targets;
  if (one === undefined) throw new Error("no target");
  const first = acts.run("start", [one], work);
  expect(acts.pending.getState().byId.get("1")).toBe("start");
  expect(await acts.run("start", [one], work)).toEqual([]);
  finish();
  await first;
  expect(calls).toBe(1);
});
