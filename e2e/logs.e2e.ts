import { expect, type Page, test } from "@playwright/test";
import { openRig, remove, type Rig, run, sh, unlessGone, wait } from "./engine/rig.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// The window's search through the output of everything that ever ran, over a native engine.
test.describe.configure({ mode: "serial", timeout: 180_000 });

let rig: Rig;
let window: TestWindow;
let page: Page;

test.beforeAll(async ({ browser }) => {
  rig = await openRig("logsearch");
  window = await openWindow(browser, rig);
  page = window.page;
});
test.afterAll(async () => {
  await window?.[Symbol.asyncDispose]();
  if (rig) await remove(rig.client, "shop").catch(unlessGone);
  await rig?.[Symbol.asyncDispose]();
});

const rows = () => page.getByTestId("log-found").getByRole("listitem");

test("what a removed container said is found beside what a living one says", async () => {
  const gone = await run(rig.client, {
    name: "checkout",
    ...sh('echo starting; echo \'{"level":"error","msg":"payment refused","order":{"id":4711},"retry":true}\' >&2; exit 3'),
  });
  await wait(rig.client, gone);
  await remove(rig.client, gone);
  await run(rig.client, { name: "shop", ...sh("echo 'WARN payment is slow: 1200 ms'; echo ready; sleep 1000") });
  await page.getByRole("navigation").getByRole("link", { name: "Logs" }).click();
  await look(page, "before");
  await page.getByRole("searchbox", { name: "Text to find in all logs" }).fill("PAYMENT");
  await page.keyboard.press("Enter");
  await expect(rows().filter({ hasText: "payment refused" })).toContainText("removed");
  await expect(rows().filter({ hasText: "payment is slow" }).getByRole("link", { name: "shop" })).toBeVisible();
  await look(page, "found");
});

test("an expression and a level narrow it down, and a broken expression is said to be one", async () => {
  await page.getByLabel("Level").selectOption("error");
  await page.getByLabel("Regular expression").check();
  await page.getByRole("searchbox").fill("order.*47\\d\\d");
  await page.keyboard.press("Enter");
  await expect(rows().filter({ hasText: "payment refused" })).toHaveCount(1);
  await expect(rows().filter({ hasText: "payment is slow" })).toHaveCount(0);
  await page.getByRole("searchbox").fill("(");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("error-notice")).toContainText("Unterminated group");
  await look(page, "refused");
});
