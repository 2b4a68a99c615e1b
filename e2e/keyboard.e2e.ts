import { expect, type Page, test } from "@playwright/test";
import { openTrashWindow, type TestWindow } from "./fixtures/window.ts";

// A container's life from the keyboard alone, over a native engine: nothing here points, clicks or sets a focus.
test.describe.configure({ mode: "serial", timeout: 180_000 });

let window: TestWindow;
const undo = new AsyncDisposableStack();

test.beforeAll(async ({ browser }) => {
  ({ window } = undo.use(await openTrashWindow(browser, "keys")));
});
test.afterAll(() => undo.disposeAsync());

/** Tab until the focus is on something of that name. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press(key);
    const now = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])].map((label) => label.textContent).join() : "";
      return element.getAttribute("aria-label") ?? (labels || element.textContent);
    });
    if (name.test(now)) return;
    seen.push(now);
  }
  throw new Error(`Tab came by ${seen.join(" | ")}, not by ${String(name)}`);
}

/** What is chosen in the palette after typing `words`. */
async function command(page: Page, words: string, first: RegExp): Promise<void> {
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type(words);
  await expect(page.getByRole("option").first()).toContainText(first);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("palette")).toHaveCount(0);
}

test("a container is run from the form, and its log is read", async () => {
  const { page } = window;
  await tabTo(page, /^Run/);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Image", { exact: true })).toBeFocused();
  await page.keyboard.type("busybox");
  await tabTo(page, /^Name/);
  await page.keyboard.type("typed");
  await tabTo(page, /^Command/);
  await page.keyboard.type("sh -c 'echo by keyboard; exec sleep 3600'");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "typed" })).toBeVisible();
  await expect(page.getByTestId("log-view")).toContainText("by keyboard");
  await page.keyboard.press("Control+f");
  await page.keyboard.type("keyboard");
  await expect(page.getByTestId("log-matches")).toContainText("1 line");
});

test("its shell is opened among the tabs and answers, and is left again", async () => {
  const { page } = window;
  await tabTo(page, /^Logs$/, "Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "Terminal" })).toHaveAttribute("aria-selected", "true");
  const rows = page.getByTestId("terminal").locator(".xterm-rows");
  await expect(rows).toContainText(/[#$]/);
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
  await page.keyboard.type("echo $((6*7))\n");
  await expect(rows).toContainText("42");
  await page.keyboard.press("Control+1");
  await expect(page.getByRole("heading", { level: 1, name: "Containers" })).toBeVisible();
});

test("it is stopped from its row's menu, deleted with the Delete key, and comes back by Ctrl+Z", async () => {
  const { page } = window;
  const row = page.getByTestId("row-typed");
  await tabTo(page, /^typed$/);
  await expect(row).toBeFocused();
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menu")).toBeVisible();
  const stop = page.getByRole("menuitem", { name: "Stop", exact: true });
  for (let presses = 0; presses < 20 && !(await stop.evaluate((item) => item === document.activeElement)); presses += 1) await page.keyboard.press("ArrowDown");
  await expect(stop).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(row.getByTestId("state")).toContainText("exited");
  await expect(row).toBeFocused();
  await page.keyboard.press("Space");
  await expect(page.getByTestId("bulk-bar")).toContainText("1 selected");
  await page.keyboard.press("Delete");
  await expect(row).toHaveCount(0);
  await expect(page.getByTestId("undo")).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(row).toBeVisible();
  await expect(page.getByText("typed is back")).toBeVisible();
});

test("the palette starts it again, and leads to its page", async () => {
  const { page } = window;
  await command(page, "start typed", /Start typed/);
  await expect(page.getByTestId("row-typed").getByTestId("state")).toContainText("running");
  await command(page, "typed", /typed/);
  await expect(page.getByRole("heading", { level: 1, name: "typed" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toContainText("Take back what was deleted");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});
