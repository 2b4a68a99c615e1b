import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { applyLanguage, startLanguage } from "#renderer/core/language.ts";
import { button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => {
  localStorage.clear();
  vi.restoreAllMocks();
  completeDom();
  applyLanguage("system");
});

const labelled = (label: string): HTMLElement => document.querySelector<HTMLElement>(`[aria-label="${label}"]`) ?? document.body;
const shown = (label: string): boolean => labelled(label) !== document.body;

test("what the machine is made from is changed as a whole, with its default named and one click away", async () => {
  using window = await openWindow("/settings", () => undefined);
  await found(() => shown("Disk"));
  expect(button("Apply and restart engine")?.disabled).toBe(true);
  await type("Disk", "32");
  await found(() => document.body.textContent.includes("A whole number from 64 (its size now) to 16384."));
  expect(button("Apply and restart engine")?.disabled).toBe(true);
  await type("Disk", "128");
  await type("Memory", "2048");
  await click(labelled("Back to 4096 MiB"));
  await type("Path of a folder to share", "srv");
  await found(() => document.body.textContent.includes("An absolute path below the root"));
  await type("Path of a folder to share", "/srv/projects");
  await click(button("Add") ?? document.body);
  await click(labelled("Stop sharing /home/me"));
  await click(labelled("Containers reach this computer"));
  await click(button("Apply and restart engine") ?? document.body);
  await expect.poll(() => window.bridge.call("settings.get")).toMatchObject({ diskGiB: 128 });
  expect(await window.bridge.call("settings.get")).toMatchObject({ memoryMiB: 4096, diskGiB: 128, folders: ["/srv/projects"], hostAccess: false });
});

test("settings are found by their names and descriptions; what does not fit is not shown", async () => {
  using _window = await openWindow("/settings", () => undefined);
  await found(() => shown("Disk"));
  await type("Search settings", "disk");
  await found(() => !shown("Memory"));
  expect(shown("Disk")).toBe(true);
  await type("Search settings", "no such thing");
  await found(() => !shown("Disk"));
  expect(document.body.textContent).toContain("No setting has “no such thing”");
});

test("what only the desktop app can do is offered there only", async () => {
  using window = await openWindow("/settings", (bridge) => bridge.host({ mode: "electron" }));
  await found(() => shown("Unhealthy containers"));
  await click(labelled("Unhealthy containers"));
  await expect.poll(() => window.bridge.call("settings.get")).toMatchObject({ notify: ["exits", "engine"] });
  await click(labelled("Icon in the tray"));
  await found(() => !shown("Closing the window"));
});

test("a browser is offered nothing of the desktop's", async () => {
  using _window = await openWindow("/settings", () => undefined);
  await found(() => shown("Disk"));
  expect(shown("Icon in the tray")).toBe(false);
});

const choice = (label: string): HTMLElement =>
  [...document.querySelectorAll<HTMLElement>("[role=radio]")].find((one) => one.textContent === label) ?? document.body;

test("another language counts at once, in the whole window and on the same page, and is kept by the host", async () => {
  using window = await openWindow("/settings", () => undefined);
  await found(() => shown("Disk"));
  await click(choice("Deutsch"));
  await found(() => shown("Platte"));
  expect(document.querySelector("h1")?.textContent).toBe("Einstellungen");
  expect(document.querySelector("nav")?.textContent).toContain("Netzwerke");
  expect(document.documentElement.lang).toBe("de");
  await expect.poll(() => document.activeElement?.textContent).toBe("Deutsch");
  expect(location.hash).toBe("#/settings");
  expect(await window.bridge.call("settings.get")).toMatchObject({ language: "de" });
  await click(choice("English"));
  await found(() => shown("Disk"));
  expect(document.documentElement.lang).toBe("en");
});

test("what the host has kept counts in a window that knows nothing of it", async () => {
  using _window = await openWindow("/settings", (bridge) => void bridge.call("settings.set", { language: "de" }));
  await found(() => shown("Platte"));
  expect(choice("Deutsch").getAttribute("aria-checked")).toBe("true");
});

test("without a choice the window speaks the computer's language, and follows it", async () => {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["de-CH", "en"]);
  startLanguage();
  using _window = await openWindow("/settings", () => undefined);
  await found(() => shown("Platte"));
  expect(document.documentElement.lang).toBe("de");
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["en-GB"]);
  globalThis.dispatchEvent(new Event("languagechange"));
  await found(() => shown("Disk"));
  expect(document.documentElement.lang).toBe("en");
});
