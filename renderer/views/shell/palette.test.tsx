import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, completeDom, found, openWindow, press, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(() => {
  completeDom();
  // As browsers have it by now; jsdom has none.
  Element.prototype.scrollIntoView = () => Promise.resolve() as unknown as undefined;
});
afterEach(() => localStorage.clear());

const web = {
  Id: "web-id",
  Names: ["/web"],
  Image: "img:1",
  ImageID: "",
  Command: "",
  Created: 1,
  Ports: [],
  Labels: {},
  State: "running",
  Status: "Up 1 minute",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
const openPalette = async () => {
  const window = await openWindow("/volumes", (bridge) => {
    bridge.answer("GET /containers/json", { body: [web] });
    bridge.answer("POST /containers/web-id/stop", {});
    bridge.answer("DELETE /containers/web-id", { status: 204 });
  });
  // The list has been read: the window has drawn itself more than once.
  await found(() => document.querySelector("nav")?.textContent.includes("Containers1"));
  await press("k", { ctrlKey: true });
  await found(() => byTestId("palette"));
  return window;
};
const query = async (text: string): Promise<void> => {
  await type("Find a container, image, volume, network, or what to do", text);
  await found(() => byTestId("palette")?.querySelector("[aria-selected=true]"));
};
const asked = (window: Awaited<ReturnType<typeof openPalette>>) =>
  window.bridge.asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path.split("?")[0]}`);

test("Ctrl+K finds an object by its name, shows its state, and Enter goes there", async () => {
  using _window = await openPalette();
  await query("web");
  expect(byTestId("palette")?.querySelector("[aria-selected=true]")?.textContent).toBe("webContainer · running");
  await press("Enter");
  await found(() => location.hash === "#/containers/web-id/logs");
  expect(byTestId("palette")).toBeNull();
});

test("an act is one Enter away, a deletion two", async () => {
  using window = await openPalette();
  await query("stop web");
  await press("Enter");
  await found(() => asked(window).includes("POST /containers/web-id/stop"));
  await press("k", { ctrlKey: true });
  await query("delete web");
  await press("Enter");
  await found(() => byTestId("palette")?.textContent.includes("Press Enter again"));
  expect(asked(window)).not.toContain("DELETE /containers/web-id");
  await press("Enter");
  await found(() => asked(window).includes("DELETE /containers/web-id"));
});
