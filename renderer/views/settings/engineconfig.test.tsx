import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

test("daemon.json is edited in the settings: what is no JSON is told with its line and cannot be saved", async () => {
  using window = await openWindow("/settings", () => undefined);
  const area = await found(() => document.querySelector("textarea"));
  const put = (text: string): void => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  put('{\n "labels": oops }');
  await found(() => document.body.textContent.includes("line 2, column 12"));
  expect(button("Save")?.disabled).toBe(true);
  put('{ "labels": ["a=b"] }');
  await found(() => button("Save")?.disabled === false);
  await click(button("Save") ?? document.body);
  await found(() => byTestId("toast")?.textContent.includes("Saved daemon.json"));
  expect(await window.bridge.call("config.get")).toMatchObject({ text: '{ "labels": ["a=b"] }' });
  window.bridge.machine({ notices: ['daemon.json: "hosts" has no effect: no', "something else"] });
  await found(() => byTestId("config-notice")?.textContent === 'daemon.json: "hosts" has no effect: no');
});

test("an engine that somebody else runs has its configuration elsewhere", async () => {
  using _window = await openWindow("/settings", (bridge) => bridge.machine({ driver: "remote" }));
  await found(() => document.body.textContent.includes("memory and CPUs are set where that engine runs"));
  expect(document.querySelector("textarea")).toBeNull();
});
