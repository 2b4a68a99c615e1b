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

test("several containers are followed in one view, in the order of time, each line with its container's name", async () => {
  // Each speaks when the other one has: by turns, however long a start takes.
  const talk = (word: string, from: number): string =>
    `i=${from}; while :; do until [ -e /turns/$i ]; do sleep 0.1; done; echo "${word} $i"; sleep 0.3; touch /turns/$((i+1)); i=$((i+2)); done`;
  const HostConfig = { Binds: ["turns:/turns"] };
  await run(rig.client, { name: "odd", ...sh(`touch /turns/1; ${talk("odd", 1)}`), HostConfig });
  await run(rig.client, { name: "even", ...sh(talk("even", 2)), HostConfig });
  await run(rig.client, { name: "quiet", ...sh("echo not chosen; sleep 1000") });
  try {
    await page.getByRole("searchbox", { name: "Text to find in all logs" }).fill("");
    await page.getByLabel("Regular expression").uncheck();
    await page.getByLabel("Level").selectOption("");
    await page.getByRole("button", { name: "All containers" }).click();
    await page.getByRole("menuitemcheckbox", { name: "odd" }).click();
    await page.getByRole("menuitemcheckbox", { name: "even" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("checkbox", { name: "Live" }).check();
    await page.getByRole("button", { name: "Follow" }).click();
    const view = page.getByTestId("log-view");
    await expect(view).toContainText("even 8");
    const lines = await view.locator("[data-line]").allTextContents();
    const numbers = lines.slice(0, 8).map((line) => /^(odd|even)\1 (\d+)$/.exec(line)?.[2]);
    expect(numbers).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    await expect(view).not.toContainText("not chosen");
    await look(page, "live");
    await page.getByRole("button", { name: "Saved searches" }).click();
    await page.getByRole("menuitem", { name: /^Keep Any text/ }).click();
    await page.getByRole("button", { name: "End" }).click();
    await expect(view).toHaveCount(0);
    await page.reload();
    await page.getByRole("button", { name: "Saved searches" }).click();
    await page.getByRole("menuitem", { name: "Any text · odd · even" }).click();
    await expect(page.getByRole("button", { name: "2 containers" })).toBeVisible();
  } finally {
    for (const name of ["odd", "even", "quiet"]) await remove(rig.client, name);
  }
});
