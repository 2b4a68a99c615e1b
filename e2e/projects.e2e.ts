import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { openRig, type Rig } from "./engine/rig.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// Compose projects by the window alone: opened by their folder, checked, brought up, changed, scaled.
test.describe.configure({ mode: "serial", timeout: 240_000 });

const project = `services:
  db: { image: busybox, init: true, command: [sleep, "3600"], volumes: ["./data:/data"] }
  web:
    image: busybox
    init: true
    command: [sh, -c, "echo up; exec sleep 3600"]
    depends_on: [db]
    environment: { LEVEL: low }
`;

let rig: Rig;
let window: TestWindow;
let page: Page;
let file: string;

test.beforeAll(async ({ browser }) => {
  rig = await openRig("projects");
  const folder = join(rig.program.root, "shop");
  mkdirSync(join(folder, "data"), { recursive: true });
  file = join(folder, "compose.yaml");
  writeFileSync(file, project);
  window = await openWindow(browser, rig, { folders: [rig.program.root] });
  page = window.page;
});
test.afterAll(async () => {
  await window?.[Symbol.asyncDispose]();
  const containers = (await rig?.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } })) ?? [];
  for (const { Id } of containers) await rig.client.call("DELETE", `/containers/${Id}`, { query: { force: 1, v: 1 } });
  await rig?.[Symbol.asyncDispose]();
});

test("a folder is opened and brought up, after it was shown what that creates", async () => {
  await page.getByRole("navigation").getByRole("link", { name: "Compose" }).click();
  await page.getByTestId("compose-open-button").first().click();
  const picker = page.getByTestId("folder-picker");
  await picker.getByRole("button", { name: rig.program.root }).click();
  await picker.getByRole("button", { name: "shop" }).click();
  await look(page, "open");
  await page.getByRole("button", { name: "Open this folder" }).click();
  await expect(page.getByRole("heading", { name: "shop", level: 1 })).toBeVisible();
  await page.getByTestId("compose-up-open").click();
  await expect(page.getByTestId("compose-up")).toContainText("2 to create");
  await look(page, "plan-create");
  await page.getByTestId("compose-up-submit").click();
  await expect(page.getByTestId("compose-run-state")).toHaveText("done", { timeout: 60_000 });
  await expect(page.getByTestId("compose-run")).toContainText("Container shop-web-1");
  await expect(page.getByTestId("state").first()).toHaveText("running (2/2)");
  await look(page, "up");
  await page.getByTestId("activity-button").click();
  await expect(page.getByTestId("activity-entry").first()).toContainText(`docker compose -f ${file} up -d`);
  await look(page, "activity");
  await page.getByTestId("activity-button").click();
});

test("a file is edited: what is wrong is told with its line, and the next plan tells which field differs", async () => {
  await page.getByRole("tab", { name: "Files" }).click();
  const text = page.getByLabel("Text of compose.yaml");
  await expect(page.getByTestId("compose-verdict")).toHaveText("Valid: 2 services");
  await text.fill(project.replace("image: busybox\n", "imagee: busybox\n"));
  await expect(page.getByTestId("compose-verdict")).toContainText("Line 4");
  await expect(page.getByTestId("compose-verdict")).toContainText("Additional property imagee is not allowed");
  await look(page, "wrong");
  await text.fill(project.replace("LEVEL: low", "LEVEL: high"));
  await expect(page.getByTestId("compose-verdict")).toHaveText("Valid: 2 services");
  await page.getByTestId("compose-save").click();
  await expect(page.getByTestId("toast").last()).toContainText("Saved compose.yaml");
  expect(readFileSync(file, "utf8")).toContain("LEVEL: high");
  await page.getByTestId("compose-up-open").click();
  await expect(page.getByRole("table", { name: "What will change" }).getByRole("row").filter({ hasText: "shop-web-1" })).toContainText(
    "is made anewenvironment.LEVEL: low → high",
  );
  await expect(page.getByRole("table", { name: "What will change" }).getByRole("row").filter({ hasText: "shop-db-1" })).toContainText("stays");
  await look(page, "plan-differs");
  await page.getByTestId("compose-up-submit").click();
  await expect(page.getByTestId("compose-run-state")).toHaveText("done", { timeout: 60_000 });
  await page.getByTestId("compose-up-open").click();
  await expect(page.getByTestId("compose-up")).toContainText("nothing will change");
  await page.getByRole("button", { name: "Cancel" }).click();
});

test("a service is scaled, and an Up that waits is cancelled", async () => {
  await page.getByRole("tab", { name: "Services" }).click();
  await page.getByRole("button", { name: "Scale web…" }).click();
  await page.getByTestId("compose-scale").getByLabel("Containers").fill("3");
  await page.getByTestId("compose-scale").getByRole("button", { name: "Scale" }).click();
  await expect(page.getByTestId("compose-run-state")).toHaveText("done", { timeout: 60_000 });
  await expect(page.getByTestId("state").first()).toHaveText("running (4/4)");
  const waiting = 'healthcheck: { test: ["CMD", "false"], interval: 1h, start_period: 1h }, ';
  writeFileSync(
    file,
    project.replace("init: true, command", `init: true, ${waiting}command`).replace("depends_on: [db]", "depends_on: { db: { condition: service_healthy } }"),
  );
  await page.getByTestId("compose-up-open").click();
  await expect(page.getByTestId("compose-up")).toContainText("to make anew");
  await page.getByTestId("compose-up-submit").click();
  await expect(page.getByTestId("compose-run")).toContainText("Waiting", { timeout: 60_000 });
  await look(page, "waiting");
  await page.getByTestId("compose-run").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByTestId("compose-run-state")).toHaveText("cancelled");
});
