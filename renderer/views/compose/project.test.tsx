import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { byTestId, button, click, completeDom, found, openWindow } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const file = "/home/me/shop/compose.yaml";
const address = `/compose/files/${encodeURIComponent(file)}`;
const model = { name: "shop", services: { web: { image: "busybox" } } };

function typeText(area: HTMLTextAreaElement, text: string): void {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(area, text);
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

test("a folder is opened, its plan shown, and bringing it up is followed to its end", async () => {
  using window = await openWindow("/compose", (bridge) => {
    bridge.file(file, "services: { web: { image: busybox } }\n");
    bridge.answer("POST /slipway/compose/check", { body: { model, hashes: { web: "h" }, warnings: [] } });
    bridge.answer("POST /slipway/compose/act", { body: '{"line":" Container shop-web-1  Started"}\n{"exit":0}\n' });
  });
  location.hash = address;
  await click(await found(() => byTestId("compose-up-open")));
  await found(() => byTestId("compose-up")?.textContent?.includes("1 to create"));
  expect(byTestId("compose-up")?.textContent).toContain("shop-web-1");
  await click(await found(() => byTestId("compose-up-submit")));
  await found(() => byTestId("compose-run-state")?.textContent === "done");
  expect(byTestId("compose-run")?.textContent).toContain("Container shop-web-1");
  const act = window.bridge.asked.find(({ path }) => path === "/slipway/compose/act");
  expect(act?.body).toMatchObject({ Verb: "up", Folder: "/home/me/shop", Files: [file], Home: "/home/me", RemoveOrphans: false });
});

test("a file is checked as it is typed, its wrong line told, and saved as it stands", async () => {
  using window = await openWindow(address, (bridge) => {
    bridge.file(file, "services:\n  web:\n    image: busybox\n");
    bridge.answer("POST /slipway/compose/check", ({ body }) => {
      const { Text = "" } = body as { Text?: string };
      return {
        body: Text.includes("imagee")
          ? { error: "validating -: services.web Additional property imagee is not allowed", warnings: [] }
          : { model, hashes: {}, warnings: [] },
      };
    });
  });
  await click(await found(() => button("Files")));
  const area = await found(() => document.querySelector<HTMLTextAreaElement>('textarea[aria-label="Text of compose.yaml"]'));
  await found(() => byTestId("compose-verdict")?.textContent === "Valid: 1 service");
  typeText(area, "services:\n  web:\n    imagee: busybox\n");
  await found(() => byTestId("compose-verdict")?.textContent?.includes("Line 3"));
  expect(byTestId("compose-verdict")?.textContent).toContain("Additional property imagee");
  typeText(area, "services:\n  web: [\n");
  await found(() => byTestId("compose-verdict")?.textContent?.includes("Line"));
  typeText(area, "services:\n  web:\n    image: alpine\n");
  await found(() => byTestId("compose-verdict")?.textContent === "Valid: 1 service");
  await click(await found(() => byTestId("compose-save")));
  await found(() => document.body.textContent?.includes("Saved compose.yaml"));
  expect(await window.bridge.call("files.read", { path: file })).toMatchObject({ text: "services:\n  web:\n    image: alpine\n" });
});
