import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { RemoteEngine } from "#bridge/bridge.ts";
import type { ShownEngine } from "#renderer/core/shownengine.ts";
import { toasts } from "#renderer/core/toasts.ts";
import { button, byTestId, click, completeDom, found, openWindow, press, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => {
  localStorage.clear();
  toasts.setState({ list: [] });
  vi.restoreAllMocks();
  completeDom();
});

const box: RemoteEngine = { id: "1", name: "box", url: "ssh://me@box", source: "added", portHost: "box" };
const lab: RemoteEngine = { id: "context lab", name: "lab", url: "tcp://lab:2375", source: "context", portHost: "lab" };
const text = (): string => document.body.textContent;
const item = (name: string): HTMLElement | undefined =>
  [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent.startsWith(name));

test("the picker says which engine is shown and offers the others", async () => {
  const show = vi.fn<(engine: ShownEngine | undefined) => void>();
  using _window = await openWindow(
    "/containers",
    (bridge) => {
      bridge.engine(box);
      bridge.engine(lab);
    },
    { show },
  );
  const picker = await found(() => byTestId("engine-picker"));
  expect(picker.textContent).toBe("This computer");
  expect(byTestId("shown-engine")).toBeNull();
  await click(picker);
  await found(() => item("lab"));
  await click(item("This computer") ?? document.body);
  expect(show).not.toHaveBeenCalled();
  await click(picker);
  await click((await found(() => item("box"))) ?? document.body);
  expect(show).toHaveBeenCalledExactlyOnceWith(box);
});

test("an engine is added once it was reached; why it was not is said with what to do", async () => {
  using window = await openWindow("/containers", (bridge) =>
    bridge.check("ssh://me@away", { reached: false, cause: "login", words: "me@away: Permission denied (publickey)." }),
  );
  await click(await found(() => byTestId("engine-picker")));
  await click((await found(() => item("Add an engine"))) ?? document.body);
  await type("Address", "me@away");
  await click(button("Check and add") ?? document.body);
  await found(() => text().includes("away was not reached"));
  expect(text()).toContain("Permission denied (publickey)");
  expect(text()).toContain("ssh has no key that the other computer accepts");
  expect(await window.bridge.call("engines.list")).toEqual([]);
  await type("Address", "me@box");
  await type("Name", "production");
  await click(button("Check and add") ?? document.body);
  await found(() => byTestId("add-engine") === null);
  expect(await window.bridge.call("engines.list")).toMatchObject([{ name: "production", url: "ssh://me@box" }]);
});

test("one that is away may be added all the same", async () => {
  using window = await openWindow("/containers", (bridge) => bridge.check("ssh://away", { reached: false, cause: "refused", words: "refused" }));
  await click(await found(() => byTestId("engine-picker")));
  await click((await found(() => item("Add an engine"))) ?? document.body);
  await type("Address", "away");
  await click(button("Check and add") ?? document.body);
  await click(await found(() => button("Add anyway")));
  await found(() => byTestId("add-engine") === null);
  expect(await window.bridge.call("engines.list")).toMatchObject([{ name: "away" }]);
});

test("tcp asks for certificates, and says what it means to go without", async () => {
  using _window = await openWindow("/containers", () => undefined);
  await click(await found(() => byTestId("engine-picker")));
  await click((await found(() => item("Add an engine"))) ?? document.body);
  expect(text()).not.toContain("Client certificate");
  await type("Address", "tcp://box:2376");
  await found(() => text().includes("Client certificate"));
  await click(document.querySelector("[data-testid=add-engine] [type=checkbox]") ?? document.body);
  await found(() => text().includes("whoever is on the way can read and change everything"));
  expect(text()).not.toContain("Client certificate");
});

test("removing from the list asks nothing and is undone by a click; docker's contexts are docker's", async () => {
  using window = await openWindow("/settings", (bridge) => {
    bridge.engine(box);
    bridge.engine(lab);
  });
  await found(() => byTestId("engine-box"));
  expect(byTestId("engine-lab")?.textContent).toContain("not encrypted");
  expect(button("Remove lab from the list")).toBeUndefined();
  await click(button("Remove box from the list") ?? document.body);
  await found(() => byTestId("engine-box") === null);
  await click(await found(() => button("Undo")));
  await found(() => byTestId("engine-box"));
  expect(await window.bridge.call("engines.list")).toMatchObject([{ name: "lab" }, { name: "box", url: "ssh://me@box" }]);
});

test("a window on another engine says so above every page, and asks nothing that only Slipway's engine has", async () => {
  const show = vi.fn<(engine: ShownEngine | undefined) => void>();
  using window = await openWindow("/builds", (bridge) => bridge.machine({ driver: "remote", foreign: true }), { shown: box, show });
  await found(() => byTestId("shown-engine")?.textContent.includes("box"));
  await found(() => text().includes("Builds: only with Slipway’s own engine"));
  for (const page of ["trash", "logs", "compose", "engine", "containers", "images", "volumes", "networks", "settings"]) {
    location.hash = `/${page}`;
    await found(() => document.querySelector("main h1"));
    expect(byTestId("shown-engine"), page).not.toBeNull();
  }
  await found(() => text().includes("they count for its own engine"));
  expect(window.bridge.asked.filter(({ path }) => path.startsWith("/slipway"))).toEqual([]);
  expect(window.bridge.asked.every(({ engine }) => engine === "1")).toBe(true);
  expect(toasts.getState().list).toEqual([]);
  await click(button("Show this computer") ?? document.body);
  expect(show).toHaveBeenCalledExactlyOnceWith(undefined);
});

test("what is under way is not ended without a question", async () => {
  const show = vi.fn<(engine: ShownEngine | undefined) => void>();
  using window = await openWindow("/containers", (bridge) => bridge.engine(box), { show });
  window.app.transfers.store.setState({
    list: [{ id: 1, kind: "pull", name: "nginx", layers: [], startedAt: 0, speed: 0, note: "", state: { kind: "running" } }],
  });
  await click(await found(() => byTestId("engine-picker")));
  await click((await found(() => item("box"))) ?? document.body);
  await found(() => byTestId("confirm"));
  expect(show).not.toHaveBeenCalled();
  await click(button("Show box") ?? document.body);
  expect(show).toHaveBeenCalledExactlyOnceWith(box);
});

test("an engine that is not reached when the window opens leaves a way back to this computer", async () => {
  const show = vi.fn<(engine: ShownEngine | undefined) => void>();
  const error = { message: "No engine answers", cause: "hostKey" as const };
  using _window = await openWindow("/containers", (bridge) => bridge.machine({ phase: "failed", driver: "remote", error }), { shown: box, show });
  await found(() => text().includes("box was not reached"));
  expect(text()).toContain("compare the fingerprint");
  expect(button("Repair")).toBeUndefined();
  await click(button("Show this computer") ?? document.body);
  expect(show).toHaveBeenCalledExactlyOnceWith(undefined);
});

test("the palette shows another engine by its name", async () => {
  const show = vi.fn<(engine: ShownEngine | undefined) => void>();
  using _window = await openWindow("/containers", (bridge) => bridge.engine(box), { show });
  await click(await found(() => button("Find anything")));
  await found(() => byTestId("palette"));
  await type("Find a container, image, volume, network, or what to do", "show box");
  await press("Enter");
  expect(show).toHaveBeenCalledExactlyOnceWith(box);
});
