import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Settings } from "#bridge/bridge.ts";
import { SettingsStore, defaultSettings } from "./settings.ts";

const capacity = { memoryMiB: 8192, cpus: 4, home: "/home/me", platform: "linux" } as const;
let dir = "";
let file = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-settings-"));
  file = join(dir, "settings.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const open = (): Promise<SettingsStore> => SettingsStore.open(file, `${file}.invalid`, capacity);

test("without a file the defaults hold, and reading writes nothing", async () => {
  const store = await open();
  expect(store.current).toEqual({
    theme: "system",
    language: "system",
    memoryMiB: 4096,
    cpus: 4,
    diskGiB: 64,
    folders: ["/home/me"],
    hostAccess: true,
    tray: true,
    onClose: "hide",
    notify: ["exits", "health", "engine"],
    engines: [],
    contextAsked: false,
  });
  expect(store.problems).toEqual([]);
  expect(() => statSync(file)).toThrow("ENOENT");
});

test("the defaults of a small computer are within what the schema allows", () => {
  expect(defaultSettings({ ...capacity, memoryMiB: 700, cpus: 1 })).toMatchObject({ memoryMiB: 512, cpus: 1 });
});

test("a change is on disk when set has resolved, readable by the owner only, and is announced", async () => {
  const store = await open();
  const seen: Settings[] = [];
  store.onChange((settings) => seen.push(settings));
  await store.set({ theme: "dark" });
  expect((await open()).current.theme).toBe("dark");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(seen.map((s) => s.theme)).toEqual(["dark"]);
});

test("changes at the same time all arrive in the file", async () => {
  const store = await open();
  await Promise.all([store.set({ theme: "light" }), store.set({ cpus: 3 }), store.set({ memoryMiB: 1024 })]);
  expect((await open()).current).toMatchObject({ theme: "light", cpus: 3, memoryMiB: 1024 });
});

test.each([
  [{ memoryMiB: 999_999 }, "memoryMiB: this computer has 8192 MiB of memory, 999999 were asked for"],
  [{ cpus: 5 }, "cpus: this computer has 4 processors, 5 were asked for"],
  [{ folders: ["/"] }, 'folders: "/" cannot be shared: name an absolute folder below the root'],
  [{ folders: ["projects"] }, 'folders: "projects" cannot be shared: name an absolute folder below the root'],
  [{ folders: ["/no/such"] }, "folders: there is no folder /no/such on this computer"],
])("what the computer does not have is refused: %j", async (change, message) => {
  const store = await open();
  await expect(store.set(change)).rejects.toMatchObject({ class: "invalidArgument", message });
  expect(store.current).toEqual(defaultSettings(capacity));
});

test("one bad value falls back to its default, is told, and spoils no other", async () => {
  writeFileSync(file, JSON.stringify({ theme: "purple", cpus: 2 }));
  const store = await open();
  expect(store.current).toMatchObject({ theme: "system", cpus: 2 });
  expect(store.problems).toHaveLength(1);
  expect(store.problems[0]).toContain("theme");
});

test("keys of a newer Slipway survive a change", async () => {
  writeFileSync(file, JSON.stringify({ theme: "dark", tomorrow: { a: 1 } }));
  await (await open()).set({ cpus: 1 });
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ tomorrow: { a: 1 }, theme: "dark", cpus: 1 });
});

test("a file that is no JSON is put aside, not lost, and the app opens with the defaults", async () => {
  writeFileSync(file, "{ theme: dark");
  const store = await open();
  expect(store.current).toEqual(defaultSettings(capacity));
  expect(store.problems[0]).toContain(`${file}.invalid`);
  expect(readFileSync(`${file}.invalid`, "utf8")).toBe("{ theme: dark");
});
