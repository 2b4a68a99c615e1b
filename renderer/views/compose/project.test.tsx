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

test("the plan is made of what the engine has now, not of a list that is a moment old", async () => {
  const summary = (State: string) => ({
    Id: "web1",
    Names: ["/shop-web-1"],
    Image: "busybox",
    State,
    Status: State,
    Created: 1,
    Ports: [],
    Labels: { "com.docker.compose.project": "shop", "com.docker.compose.service": "web", "com.docker.compose.config-hash": "h" },
  });
  using window = await openWindow(address, (bridge) => {
    bridge.file(file, "services: { web: { image: busybox } }\n");
    bridge.answer("POST /slipway/compose/check", { body: { model, hashes: { web: "h" }, warnings: [] } });
    bridge.answer("GET /containers/json", { body: [summary("created")] });
    bridge.answer("GET /containers/web1/json", { body: { Id: "web1", Image: "sha256:one", Config: {}, HostConfig: {}, Mounts: [] } });
  });
  await found(() => document.body.textContent?.includes("created(1)"));
  // No event tells the window of it yet.
  window.bridge.answer("GET /containers/json", { body: [summary("running")] });
  await click(await found(() => byTestId("compose-up-open")));
  await found(() => byTestId("compose-up")?.textContent?.includes("shop-web-1"));
  expect(byTestId("compose-up")?.textContent).toContain("nothing will change");
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
