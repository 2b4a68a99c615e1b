import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { startWeb } from "./fixtures/program.ts";
import { sceneViews, startScene } from "./fixtures/scene.ts";
import { sceneNow } from "./fixtures/scene-containers.ts";

// Every view of the window over an engine that answers the same everywhere, at a clock that stands still: accessibility in
// light, dark and with more contrast, zoom, and pictures compared with those in e2e/pictures.
test.describe.configure({ timeout: 600_000 });

const undo = new AsyncDisposableStack();
const size = { width: 1120, height: 700 };
let page: Page;

test.beforeAll(async ({ browser }) => {
  const engine = undo.use(await startScene());
  const root = mkdtempSync(join(tmpdir(), "slipway-views-"));
  undo.defer(() => rmSync(root, { recursive: true, force: true }));
  process.env["DOCKER_CONFIG"] = join(root, "docker-config");
  mkdirSync(join(root, "web"));
  writeFileSync(join(root, "web", "settings.json"), JSON.stringify({ contextAsked: true, folders: ["/home/me"], memoryMiB: 4096, cpus: 2 }));
  const web = undo.use(await startWeb({ root: join(root, "web"), args: ["--engine", engine.socket] }));
  const context = await browser.newContext({ viewport: size, locale: "en-US", timezoneId: "UTC", reducedMotion: "reduce", colorScheme: "light" });
  undo.defer(() => context.close());
  page = await context.newPage();
  await page.clock.setFixedTime(sceneNow);
  await page.goto(web.socket);
  await expect(page.getByTestId("engine-state")).toContainText("running", { ignoreCase: true });
});
test.afterAll(() => undo.disposeAsync());

/** Goes there within the page, as a link does, and waits until its texts stay the same. */
async function goTo(address: string): Promise<void> {
  await page.evaluate((route) => void (location.hash = route), `/${address}`);
  await expect(page.locator("main h1").first()).toBeVisible();
  await expect(page.locator("main svg.animate-spin")).toHaveCount(0);
  let before = "";
  await expect
    .poll(async () => {
      const now = await page.locator("body").innerText();
      const same = now === before;
      before = now;
      return same;
    })
    .toBe(true);
}

async function show(look: { colorScheme: "light" | "dark"; contrast?: "more" }): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce", contrast: "no-preference", ...look });
  await expect(page.locator("html")).toHaveAttribute("data-theme", look.colorScheme);
}

const looks = [
  { name: "light", colorScheme: "light" },
  { name: "dark", colorScheme: "dark" },
  { name: "light, more contrast", colorScheme: "light", contrast: "more" },
  { name: "dark, more contrast", colorScheme: "dark", contrast: "more" },
] as const;

test("every view, tab and dialog is without a serious accessibility finding in light, dark and with more contrast", async () => {
  const found: string[] = [];
  const examine = async (place: string): Promise<void> => {
    for (const { name, ...look } of looks) {
      await show(look);
      const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
      // Looks differ in their colours only.
      const { violations } = await (name === "light" ? axe : axe.withRules(["color-contrast"])).analyze();
      for (const { id, impact, nodes } of violations)
        if (impact === "serious" || impact === "critical") found.push(`${place}, ${name}: ${id}: ${nodes[0]?.html}`);
    }
    await show({ colorScheme: "light" });
  };
  for (const [name, address] of Object.entries(sceneViews)) {
    await goTo(address);
    await examine(name);
  }
  const dialogs: Readonly<Record<string, string>> = { containers: "run", images: "pull", builds: "build", volumes: "create", networks: "create" };
  for (const [view, opener] of Object.entries(dialogs)) {
    await goTo(view);
    await page.getByTestId(opener).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await examine(`dialog of ${view}`);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  for (const [name, keys] of Object.entries({ palette: "Control+k", shortcuts: "?" })) {
    await page.keyboard.press(keys);
    await expect(page.getByRole("dialog")).toBeVisible();
    await examine(name);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  await page.getByTestId("activity-button").click();
  await examine("activity");
  await page.getByTestId("activity-button").click();
  expect(found).toEqual([]);
});

test("at 50 % and at 200 % nothing to press lies beyond the window's edge, and no page scrolls sideways", async () => {
  const found: string[] = [];
  for (const zoom of [0.5, 2]) {
    // What a browser's zoom does to a window of 1440 by 900: so many more or fewer pixels of the page.
    await page.setViewportSize({ width: 1_440 / zoom, height: 900 / zoom });
    for (const [name, address] of Object.entries(sceneViews)) {
      await goTo(address);
      const beyond = await page.evaluate(() => {
        const pressed = [...document.querySelectorAll<HTMLElement>("main button, main a, main input, nav a, footer button")].filter((element) => {
          const box = element.getBoundingClientRect();
          const scrolls = element.closest("[role=log], .xterm, pre, [data-scrolls]") !== null;
          return !scrolls && box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
        });
        const sideways = document.documentElement.scrollWidth > innerWidth;
        return [...pressed.map((element) => element.getAttribute("aria-label") ?? element.textContent), ...(sideways ? ["the page"] : [])];
      });
      if (beyond.length > 0) found.push(`${name} at ${zoom * 100} %: ${beyond.join(", ")}`);
    }
  }
  await page.setViewportSize(size);
  expect(found).toEqual([]);
});

const renew =
  "where the look was meant to change, or with a Chromium that draws otherwise: SLIPWAY_TEST_LONG=1 playwright test views --update-snapshots, look at what changed, commit";

// In test:long alone: another Chromium, or another library that draws letters, may need pictures of its own.
for (const colorScheme of process.env["SLIPWAY_TEST_LONG"] === "1" ? (["light", "dark"] as const) : [])
  test(`every view looks as before, ${colorScheme}`, async () => {
    await show({ colorScheme });
    // Where there is nothing to point at.
    await page.mouse.move(0, 0);
    for (const [name, address] of Object.entries(sceneViews)) {
      await goTo(address);
      // Graphs, lines that come in as they come, and what has this computer's paths and the version in it.
      const mask = [page.locator("canvas, footer, [role=log]"), page.getByText(/slipway-scripted-|slipway-views-|\/home\/|\/root/)];
      await expect.soft(page, `${name}: ${renew}`).toHaveScreenshot(`${name}-${colorScheme}.png`, { mask, animations: "disabled", caret: "hide" });
    }
  });
