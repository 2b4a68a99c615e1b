import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { FakeBridge } from "#renderer/fakebridge.ts";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const item = (Kind: string, Id: string, Name: string, Bytes = 5_000_000): object => ({ Kind, Id, Name, RemovedAt: "2026-01-02T03:04:05Z", Bytes });
const asked = (bridge: FakeBridge): string[] => bridge.asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);

/** The engine's trash with these things, fewer as they are taken out. */
function withTrash(bridge: FakeBridge, things: object[], days = 7): object[] {
  bridge.answer("GET /slipway/trash", () => ({ body: { Items: [...things], Bytes: 5_000_000 * things.length, Limits: { Days: days, Bytes: 1e10 } } }));
  return things;
}
const network = { Name: "front", Id: "n1", Driver: "bridge", Created: "2026-01-02T03:04:05Z", IPAM: { Config: [] }, Containers: {}, Labels: {}, Options: {} };

test("the trash lists what was deleted, brings it back at a click, and is emptied after a question", async () => {
  using window = await openWindow("/trash", (bridge) => {
    const things = withTrash(bridge, [item("container", "c1", "web"), item("volume", "v1", "data")]);
    bridge.answer("POST /slipway/trash/c1/restore", () => {
      things.shift();
      return { body: { Kind: "container", Id: "c1", Name: "web-2", Warnings: ["the name web is taken by now: it is called web-2"], Also: [] } };
    });
    bridge.answer("DELETE /slipway/trash", () => {
      things.length = 0;
      return { body: { Items: 1, Bytes: 5_000_000 } };
    });
  });
  await found(() => document.body.textContent?.includes("2 things, 10 MB"));
  await click(await found(() => button("Restore web")));
  await found(() => document.body.textContent?.includes("web-2 is back"));
  await found(() => document.body.textContent?.includes("the name web is taken by now"));
  await found(() => button("Restore web") === undefined && button("Restore data") !== undefined);
  await click(await found(() => byTestId("empty-trash")));
  await found(() => byTestId("confirm"));
  expect(asked(window.bridge)).toEqual(["POST /slipway/trash/c1/restore"]);
  await click(await found(() => button("Empty trash")));
  await found(() => document.body.textContent?.includes("The trash is empty"));
  expect(asked(window.bridge)).toContain("DELETE /slipway/trash");
});

test("a Compose project comes back as a whole from the menu of one of its things", async () => {
  using window = await openWindow("/trash", (bridge) => {
    const things = withTrash(bridge, [{ ...item("container", "c1", "shop-web-1"), Project: "shop" }, item("volume", "v1", "data")]);
    bridge.answer("POST /slipway/trash/restore", () => {
      things.shift();
      return { body: { Project: "shop", Items: [{ Kind: "container", Id: "c1", Name: "shop-web-1" }], Warnings: ["volume gone: it is not there"] } };
    });
  });
  await click(await found(() => document.querySelector<HTMLElement>('[aria-label="Actions for shop-web-1"]')));
  await click(
    await found(() => [...document.querySelectorAll<HTMLElement>('[role="menuitem"]')].find((one) => one.textContent?.includes("Restore project “shop”"))),
  );
  await found(() => document.body.textContent?.includes("shop-web-1 is back"));
  expect(document.body.textContent).toContain("volume gone: it is not there");
  expect(asked(window.bridge)).toEqual(["POST /slipway/trash/restore?project=shop"]);
});

test("what the trash keeps is deleted without a question, and Undo brings it back", async () => {
  using window = await openWindow("/networks/n1", (bridge) => {
    const things = withTrash(bridge, []);
    bridge.answer("GET /networks", { body: [network] });
    bridge.answer("GET /networks/n1", { body: network });
    bridge.answer("DELETE /networks/n1", () => {
      things.push(item("network", "n1", "front", 0));
      return { status: 204 };
    });
    bridge.answer("POST /slipway/trash/n1/restore", { body: { Kind: "network", Id: "n1", Name: "front", Warnings: [], Also: [] } });
  });
  await found(() => document.querySelector('a[href$="/trash"]'));
  await click(await found(() => button("Delete…")));
  await click(await found(() => byTestId("undo")));
  await found(() => document.body.textContent?.includes("front is back"));
  expect(byTestId("confirm")).toBeNull();
  expect(asked(window.bridge)).toEqual(["DELETE /networks/n1", "POST /slipway/trash/n1/restore"]);
});

test("with the trash off it asks, and offers no way back", async () => {
  using window = await openWindow("/networks/n1", (bridge) => {
    withTrash(bridge, [], 0);
    bridge.answer("GET /networks", { body: [network] });
    bridge.answer("GET /networks/n1", { body: network });
    bridge.answer("DELETE /networks/n1", { status: 204 });
  });
  await found(() => window.bridge.asked.some(({ path }) => path === "/slipway/trash"));
  expect(document.querySelector('a[href$="/trash"]')).toBeNull();
  await click(await found(() => button("Delete…")));
  await found(() => byTestId("confirm"));
  await click(await found(() => button("Delete 1 network")));
  await found(() => document.body.textContent?.includes("Deleted front"));
  expect(byTestId("undo")).toBeNull();
  expect(asked(window.bridge)).toEqual(["DELETE /networks/n1"]);
});
