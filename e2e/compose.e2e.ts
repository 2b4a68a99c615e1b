import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { openRig, type Rig } from "./engine/rig.ts";
import { stockDocker } from "./fixtures/docker.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// Projects that the stock `docker compose` brings up, in the window: seen, stopped, started and taken down.
test.describe.configure({ mode: "serial", timeout: 180_000 });

const project = `services:
  db: { image: busybox, init: true, command: [sleep, "3600"], volumes: ["data:/data"] }
  web:
    { image: busybox, init: true, command: [sh, -c, "echo up; exec sleep 3600"], depends_on: [db], scale: 2 }
volumes: { data: {} }
`;

let rig: Rig;
let window: TestWindow;
let page: Page;
let compose: (...args: readonly string[]) => Promise<string>;

test.beforeAll(async ({ browser }) => {
  rig = await openRig("composepage");
  const folder = join(rig.program.root, "shop");
  mkdirSync(folder);
  writeFileSync(join(folder, "compose.yaml"), project);
  const docker = stockDocker({ socket: rig.program.socket });
  compose = (...args) => docker.ok("compose", "-f", join(folder, "compose.yaml"), ...args);
  window = await openWindow(browser, rig);
  page = window.page;
});
test.afterAll(async () => {
  await window?.[Symbol.asyncDispose]();
  await compose?.("down", "-v", "-t", "1").catch(() => undefined);
  await rig?.[Symbol.asyncDispose]();
});

test("a project appears when the CLI brings it up, with its services' states and their logs", async () => {
  await page.getByRole("navigation").getByRole("link", { name: "Compose" }).click();
  await expect(page.getByRole("heading", { name: "No Compose projects" })).toBeVisible();
  await look(page, "empty");
  await compose("up", "-d");
  await expect(page.getByTestId("row-shop").getByTestId("state")).toHaveText("running (3/3)");
  await look(page, "list");
  await page.getByTestId("row-shop").getByRole("link", { name: "shop" }).click();
  const service = page.getByRole("table", { name: "Services" }).getByRole("row").filter({ hasText: "shop-web-1" });
  await expect(service).toContainText("running (2/2)");
  await service.getByRole("button", { name: "Stop web" }).click();
  await expect(service).toContainText("running (0/2)");
  await look(page, "project");
  await service.getByRole("link", { name: "shop-web-2" }).click();
  await expect(page.getByTestId("log-view")).toContainText("up");
  await page.goBack();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(service).toContainText("running (2/2)");
});

test("a project is taken down as compose would: containers and network go, the volume stays", async () => {
  await page.getByTestId("compose-down").click();
  await expect(page.getByTestId("confirm")).toContainText("3 containers and 1 network");
  await look(page, "down");
  await page.getByTestId("confirm").getByRole("button", { name: "Take down shop" }).click();
  await expect(page.getByRole("heading", { name: "No Compose projects" })).toBeVisible();
  await expect(page.getByTestId("toast").last()).toContainText("Took down shop");
  expect(await compose("ps", "-aq")).toBe("");
  const networks = await rig.client.json<{ Name: string }[]>("GET", "/networks");
  expect(networks.map(({ Name }) => Name)).not.toContain("shop_default");
  const { Volumes } = await rig.client.json<{ Volumes: { Name: string }[] }>("GET", "/volumes");
  expect(Volumes.map(({ Name }) => Name)).toContain("shop_data");
});
