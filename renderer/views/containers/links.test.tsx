import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, click, completeDom, found, openWindow, press } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => {
  localStorage.clear();
  vi.restoreAllMocks();
  completeDom();
});

const summary = {
  Id: "c1".repeat(32),
  Names: ["/web"],
  Image: "nginx",
  ImageID: "i",
  Command: "",
  Created: 1,
  Ports: [],
  Labels: {},
  State: "running",
  Status: "Up",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
const menuLabels = (): readonly string[] => [...document.querySelectorAll("[role=menuitem]")].map((item) => item.textContent);

test("a link to run an image fills in the form, and nothing runs by itself", async () => {
  using window = await openWindow("/run/docker.io%2Flibrary%2Fnginx%3A1.27", () => undefined);
  const dialog = await found(() => byTestId("run-dialog"));
  await found(() => [...dialog.querySelectorAll("input")].some(({ value }) => value === "docker.io/library/nginx:1.27"));
  expect(window.bridge.asked.filter(({ method }) => method !== "GET")).toEqual([]);
  await click([...dialog.querySelectorAll("button")].find(({ textContent }) => textContent === "Cancel") ?? dialog);
  await found(() => byTestId("run-dialog") === null);
  expect(location.hash).toBe("#/containers");
});

test.each([
  ["electron", true],
  ["browser", false],
] as const)("in the %s a container's link can be copied: %s", async (mode, offered) => {
  const writeText = vi.fn<(text: string) => Promise<void>>().mockResolvedValue();
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText } });
  using _window = await openWindow("/containers", (bridge) => {
    bridge.host({ mode });
    bridge.answer("GET /containers/json", { body: [summary] });
  });
  const row = await found(() => byTestId("row-web"));
  await found(() => document.body.textContent.includes("Slipway 0.0.1"));
  row.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
  await found(() => menuLabels().includes("Copy ID"));
  expect(menuLabels().includes("Copy link")).toBe(offered);
  if (offered) {
    await click([...document.querySelectorAll("[role=menuitem]")].find(({ textContent }) => textContent === "Copy link") ?? document.body);
    expect(writeText).toHaveBeenCalledExactlyOnceWith(`slipway://containers/${summary.Id}`);
  } else await press("Escape");
});
