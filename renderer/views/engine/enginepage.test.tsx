import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { button, byTestId, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const usage = {
  LayersSize: 3_000_000,
  Images: [{ Id: "sha256:aa", RepoTags: ["idle:1"], Size: 2_000_000, SharedSize: 0, Containers: 0 }],
  Containers: [{ Id: "c1", Names: ["/web"], State: "running", SizeRw: 1000 }],
  Volumes: [
    { Name: "photos", UsageData: { Size: 5_000_000, RefCount: 0 } },
    { Name: "data", UsageData: { Size: 1_000_000, RefCount: 1 } },
  ],
  BuildCache: [],
};

test("unused volumes are named with their bytes, and deleted only after the word is typed", async () => {
  using window = await openWindow("/engine", (bridge) => {
    bridge.answer("GET /system/df", { body: usage });
    bridge.answer("POST /volumes/prune", { body: { VolumesDeleted: ["photos"], SpaceReclaimed: 5_000_000 } });
  });
  await click(await found(() => button("Reclaim: Volumes")));
  const dialog = await found(() => byTestId("confirm"));
  expect(dialog.textContent).toContain("photos  5 MB");
  const verb = "Delete 1 object, 5 MB";
  expect(button(verb)?.disabled).toBe(true);
  await type("Type delete to confirm", "delete");
  await found(() => button(verb)?.disabled === false);
  await click(button(verb) ?? document.body);
  await found(() => byTestId("toast")?.textContent.includes("5 MB reclaimed"));
  const asked = window.bridge.asked.find(({ path }) => path.startsWith("/volumes/prune"));
  expect(decodeURIComponent(asked?.path ?? "")).toBe('/volumes/prune?filters={"all":["true"]}');
});

test("images are deleted without a word typed; what is in use cannot be reclaimed", async () => {
  using window = await openWindow("/engine", (bridge) => {
    bridge.answer("GET /system/df", { body: usage });
    bridge.answer("POST /images/prune", { body: { SpaceReclaimed: 2_000_000 } });
  });
  await click(await found(() => button("Reclaim: Images")));
  await click(await found(() => button("Delete 1 object, 2 MB")));
  await found(() => byTestId("toast")?.textContent.includes("2 MB reclaimed"));
  expect(window.bridge.asked.some(({ path }) => path.startsWith("/images/prune"))).toBe(true);
  expect(button("Reclaim: Containers")?.disabled).toBe(true);
});

test("what takes most room is a map of links", async () => {
  using _window = await openWindow("/engine", (bridge) => bridge.answer("GET /system/df", { body: usage }));
  const map = await found(() => document.querySelector('ul[aria-label="Largest objects"]'));
  expect([...map.querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual([
    "#/volumes/photos",
    "#/images/idle%3A1",
    "#/volumes/data",
    "#/containers/c1",
  ]);
});

test("everything is erased only after the word is typed, and not at all where the engine is not ours", async () => {
  using window = await openWindow("/engine", () => undefined);
  await click(await found(() => button("Erase everything")));
  await found(() => byTestId("confirm"));
  const erase = (): HTMLButtonElement | undefined =>
    [...document.querySelectorAll<HTMLButtonElement>("dialog button")].find((one) => one.textContent === "Erase everything");
  expect(erase()?.disabled).toBe(true);
  await type("Type erase to confirm", "erase");
  await found(() => erase()?.disabled === false);
  await click(erase() ?? document.body);
  await found(() => byTestId("toast")?.textContent.includes("Started with nothing"));
  window.bridge.machine({ driver: "remote" });
  await found(() => button("Erase everything") === undefined);
});
