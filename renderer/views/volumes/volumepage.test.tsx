import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const volume = { Name: "data", Driver: "local", Mountpoint: "/v/data", CreatedAt: "2026-01-02T03:04:05Z", Labels: null, Options: null, Scope: "local" };

test("a volume's files are listed, and it is snapshot, forked and emptied", async () => {
  const snapshots: object[] = [];
  using window = await openWindow("/volumes/data", (bridge) => {
    bridge.answer("GET /volumes/data", { body: volume });
    bridge.answer("GET /volumes", { body: { Volumes: [volume], Warnings: null } });
    bridge.answer("GET /system/df", { body: { Volumes: [{ ...volume, UsageData: { Size: 2_000_000, RefCount: 1 } }] } });
    bridge.answer("GET /slipway/volumes/data/files", {
      body: { path: "/", total: 1, entries: [{ name: "rows", kind: "file", size: 4, mode: 0o644, uid: 999, gid: 0, mtime: "2026-01-02T03:04:05Z" }] },
    });
    bridge.answer("GET /slipway/volumes/data/snapshots", () => ({ body: { Snapshots: [...snapshots] } }));
    bridge.answer("POST /slipway/volumes/data/snapshots", ({ body }) => {
      const { Name } = body as { Name: string };
      snapshots.push({ Name: "first", CreatedAt: "2026-01-02T03:04:05Z" });
      return { status: 201, body: { Name, CreatedAt: "" } };
    });
    bridge.answer("POST /slipway/volumes/data/fork", { status: 201, body: { ...volume, Name: "data-first" } });
    bridge.answer("GET /volumes/data-first", { body: { ...volume, Name: "data-first" } });
    bridge.answer("POST /slipway/volumes/data/empty", { status: 204 });
  });
  await found(() => document.body.textContent?.includes("2 MB"));
  await click(await found(() => button("Files")));
  await found(() => byTestId("file-rows"));
  await click(await found(() => button("Snapshots")));
  await found(() => document.body.textContent?.includes("A snapshot keeps what is in the volume"));
  await click(await found(() => button("Snapshot…")));
  await click(await found(() => byTestId("volume-snapshot")?.querySelector<HTMLElement>('button[type="submit"]')));
  await click(await found(() => button("Empty…")));
  await click(await found(() => button("Empty data")));
  await found(() => document.body.textContent?.includes("Emptied data"));
  await click(await found(() => button("New volume of first")));
  await click(await found(() => byTestId("volume-fork")?.querySelector<HTMLElement>('button[type="submit"]')));
  await found(() => location.hash === "#/volumes/data-first");
  const fork = window.bridge.asked.find(({ path }) => path === "/slipway/volumes/data/fork");
  expect(fork?.body).toEqual({ Name: "data-first", Snapshot: "first" });
});
