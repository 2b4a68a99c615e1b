import { expect, type Page, test } from "@playwright/test";
import { openRig, remove, type Rig, run } from "./engine/rig.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// The window in German, over a native engine: chosen in the settings, on every page, in both themes, and in a narrow window.
test.describe.configure({ mode: "serial", timeout: 300_000 });

let rig: Rig;
let window: TestWindow;
let container: string;
/** Names, headings, buttons and columns of each page in English. */
const english = new Map<string, readonly string[]>();

test.beforeAll(async ({ browser }) => {
  rig = await openRig("german");
  container = await run(rig.client, { name: "web1", Cmd: ["sleep", "3600"], HostConfig: { Binds: ["data1:/data"] } });
  window = await openWindow(browser, rig);
});
test.afterAll(async () => {
  await window?.[Symbol.asyncDispose]();
  if (container !== undefined) await remove(rig.client, container);
  await rig?.[Symbol.asyncDispose]();
});

const lists = ["containers", "images", "builds", "volumes", "networks", "compose", "logs", "engine", "settings"];
const tabs = ["logs", "inspect", "files", "stats", "processes", "network", "events"];
const addresses = (): readonly string[] => [...lists, ...tabs.map((tab) => `containers/${container}/${tab}`), "volumes/data1"];
const nameOf = (address: string): string => address.replace(`${container}/`, "").replace("/", "-");

/** Goes there within the page, as a link does, and waits until its texts stay the same. */
async function goTo(page: Page, address: string): Promise<void> {
  await page.evaluate((route) => void (location.hash = route), `/${address}`);
  await expect(page.locator("main h1").first()).toBeVisible();
  await expect(page.locator("main [role=status] svg.animate-spin")).toHaveCount(0);
  let before: readonly string[] = [];
  await expect
    .poll(async () => {
      const now = await labels(page);
      const same = now.join("\n") === before.join("\n");
      before = now;
      return same;
    })
    .toBe(true);
}

const labels = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const found = [...document.querySelectorAll("nav a, footer button, h1, h2, button, [role=columnheader], th, [role=tab], [role=radio], label")];
    // What lies and runs in the container has names of its own, the columns of ps as well.
    const ours = found.filter((element) => element.closest("[data-testid^=file-], [data-testid=processes] th") === null);
    const texts = ours.map((element) => element.getAttribute("aria-label") ?? element.textContent);
    return [...new Set(texts.map((text) => text.trim()).filter((text) => /[A-Za-z]{2}/.test(text)))];
  });

/** Words of Docker, names, and words that are the same in both languages. */
const shared = new RegExp(
  "^(Details|Snapshots?…?|Images|Builds|Volumes|Compose|Logs|Engine|Inspect|Terminal|Name|Image|Ports|CPU|CPUs|Tag|ID|Build|Labels|Live|IPv4|IPv6|Gateway|Event|System|English|Deutsch|JSON|" +
    "Desktop|Version|Docker|Container|web1|data1|bridge|host|none|host|sleep)[ \\d⌘Ctrl+]*$|^(PID|PPID|UID|GID|C|STIME|TTY|TIME|CMD|STAT|COMMAND|USER)$|fixture|localhost|/",
);

test("the language is chosen in the settings, and the window speaks it at once on the same page", async () => {
  const { page } = window;
  for (const address of addresses()) {
    await goTo(page, address);
    english.set(address, await labels(page));
  }
  await goTo(page, "settings");
  await page.getByRole("radio", { name: "Deutsch" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Einstellungen" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Deutsch" })).toBeFocused();
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await expect(page.getByRole("navigation").getByRole("link", { name: /Netzwerke/ })).toBeVisible();
  expect(new URL(page.url()).hash).toContain("/settings");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Einstellungen" })).toBeVisible();
  await expect(page.getByTestId("engine-state")).toContainText("Engine läuft");
});

test("no name, heading, button or column is left in English, in both themes without an accessibility finding", async () => {
  const { page } = window;
  for (const address of addresses()) {
    await goTo(page, address);
    const left = (await labels(page)).filter((text) => english.get(address)?.includes(text) === true && !shared.test(text));
    expect.soft(left, address).toEqual([]);
    await look(page, `german-${nameOf(address)}`);
  }
});

test("states and times are German: commas, days that have 24 hours", async () => {
  const { page } = window;
  await goTo(page, "containers");
  const state = page.getByTestId("row-web1").getByTestId("state");
  await expect(state).toContainText("läuft");
  await expect(state).toContainText(/Seit \d+ (Sekunde|Minute|Stunde)n?/);
  await goTo(page, "volumes");
  await expect(page.getByTestId("row-data1").locator("[data-tip*=':']")).toHaveAttribute("data-tip", /^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$/);
});

test("nothing is cut off in narrow windows down to 720 pixels, and nothing lies beyond its edge", async () => {
  const { page } = window;
  for (const [width, address] of [860, 800, 790, 720].flatMap((each) => addresses().map((address) => [each, address] as const))) {
    await page.setViewportSize({ width, height: 700 });
    await goTo(page, address);
    const cut = await page.evaluate(() => {
      const texts = [
        ...document.querySelectorAll<HTMLElement>(
          "main button, main a, nav a, footer button, footer span, h1, h2, main [role=columnheader], main label, main p",
        ),
      ];
      const bad = texts.filter((element) => {
        const box = element.getBoundingClientRect();
        if (box.width === 0 || box.height === 0 || element.closest("[data-tip-cut]") !== null || element.classList.contains("sr-only")) return false;
        const beyond = box.right > innerWidth + 0.5 || box.left < -0.5;
        const clipped = getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
        // A control that takes more than one line has a text too long for it.
        const wrapped = element.tagName === "BUTTON" && element.textContent !== "" && element.scrollHeight > element.clientHeight + 2;
        return beyond || clipped || wrapped;
      });
      // A row whose cells are more than its columns goes on below itself.
      for (const row of document.querySelectorAll("[data-testid^=row-]")) {
        const { bottom } = row.getBoundingClientRect();
        bad.push(...[...row.querySelectorAll<HTMLElement>("*")].filter((part) => part.getBoundingClientRect().bottom > bottom + 1));
      }
      return bad.map((element) => element.getAttribute("aria-label") ?? element.textContent);
    });
    await page.screenshot({ path: test.info().outputPath(`german-${width}-${nameOf(address)}.png`) });
    expect.soft(cut, `${address} at ${width}`).toEqual([]);
  }
});
