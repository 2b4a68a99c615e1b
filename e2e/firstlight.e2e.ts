import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { delay } from "#base/deadline.ts";
import { type StockDocker, stockDocker } from "./fixtures/docker.ts";
import { busybox, dockerArchive } from "./fixtures/image.ts";
import { type Program, repository, startWeb } from "./fixtures/program.ts";

// One boot of the real VM, then a first day in the window: run the starter image, open its page, type in a terminal,
// read logs, watch the graph, follow the CLI, stop, delete. Screenshots in light and dark are kept in test-results.
test.describe.configure({ mode: "serial" });

const shots = join(repository, "test-results", "screenshots");
let web: Program;
let docker: StockDocker;
let page: Page;

const shoot = async (name: string): Promise<void> => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
    await page.screenshot({ path: join(shots, `${name}-${colorScheme}.png`), animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: "light" });
};

/** A figure of this run, kept beside the screenshots: figures are told, not asserted on. */
function report(name: string, ms: number): void {
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  test.info().annotations.push({ type: name, description: seconds });
  console.log(`${name}: ${seconds}`);
  appendFileSync(join(shots, "..", "figures.txt"), `${name}: ${seconds}\n`);
}

/** When the page first answered, on the clock of `performance.now`. */
async function firstAnswer(url: string): Promise<number> {
  const deadline = performance.now() + 150_000;
  while (performance.now() < deadline) {
    const ok = await fetch(url).then(
      async (answer) => answer.ok && (await answer.text()) !== "",
      () => false,
    );
    if (ok) return performance.now();
    await delay(50);
  }
  throw new Error(`${url} never answered`);
}

test.beforeAll(async ({ browser }) => {
  mkdirSync(shots, { recursive: true });
  rmSync(join(shots, "..", "figures.txt"), { force: true });
  // Not the docker configuration of whoever runs the tests.
  process.env["DOCKER_CONFIG"] = join(shots, "..", "docker-config");
  web = await startWeb();
  docker = stockDocker({ socket: join(web.root, "docker.sock") });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
});
test.afterAll(async () => {
  await page?.context().close();
  await web?.[Symbol.asyncDispose]();
});

test("the first-run screen shows the boot steps until the engine runs", async () => {
  await page.goto(web.socket);
  await expect(page.getByTestId("boot").or(page.getByTestId("engine-state"))).toBeVisible();
  await shoot("boot");
  await expect(page.getByTestId("engine-state")).toContainText("running", { timeout: 400_000, ignoreCase: true });
  await expect(page.getByTestId("vm-memory")).toBeVisible({ timeout: 60_000 });
});

test("one click runs the starter image, and its page answers", async () => {
  // The image is unpacked after the engine's first answer; software emulation takes its time.
  await expect(page.getByTestId("run-welcome")).toBeEnabled({ timeout: 150_000 });
  const clicked = performance.now();
  await page.getByTestId("run-welcome").click();
  const answered = firstAnswer("http://127.0.0.1:8080/");
  const row = page.getByRole("row").filter({ hasText: "welcome" }).first();
  await expect(row).toContainText("running", { timeout: 60_000 });
  const link = row.getByRole("link", { name: /8080/ });
  const address = await link.getAttribute("href");
  expect(address).toContain(":8080");
  const opened = await page.context().newPage();
  await expect(async () => {
    await opened.goto(address ?? "", { timeout: 5_000 });
  }).toPass({ timeout: 60_000 });
  await expect(opened.locator("body")).toContainText("Your first container is running");
  await opened.screenshot({ path: join(shots, "welcome.png") });
  await opened.close();
  report("welcome page after the click on Run", (await answered) - clicked);
  await shoot("containers");
});

test("log lines arrive while they are written", async () => {
  await page.getByRole("link", { name: "welcome", exact: true }).first().click();
  await page.getByRole("tab", { name: "Logs" }).click();
  const lines = page.getByTestId("log-lines");
  const before = Number(/\d+/.exec((await lines.textContent()) ?? "0")?.[0] ?? 0);
  execFileSync("curl", ["-sS", "-o", "/dev/null", "--max-time", "30", "http://127.0.0.1:8080/"]);
  await expect.poll(async () => Number(/\d+/.exec((await lines.textContent()) ?? "0")?.[0] ?? 0), { timeout: 30_000 }).toBeGreaterThan(before);
  await shoot("logs");
});

test("the terminal is a real one: echo $((6*7)) gives 42", async () => {
  await page.getByRole("tab", { name: "Terminal" }).click();
  const terminal = page.getByTestId("terminal");
  await terminal.click();
  await expect(terminal.locator(".xterm-rows")).toContainText(/[#$]/, { timeout: 60_000 });
  await page.keyboard.type("echo $((6*7))\n");
  await expect(terminal.locator(".xterm-rows")).toContainText("42", { timeout: 60_000 });
  await shoot("terminal");
});

test("the graph moves", async () => {
  await page.getByRole("tab", { name: "Stats" }).click();
  const stats = page.getByTestId("stats");
  const points = async (): Promise<number> => Number(await stats.getAttribute("data-points"));
  await expect.poll(points, { timeout: 60_000 }).toBeGreaterThan(1);
  const seen = await points();
  await expect.poll(points, { timeout: 60_000 }).toBeGreaterThan(seen);
  await expect(page.getByTestId("chart-summary").first()).not.toBeEmpty();
  await shoot("stats");
  await page.getByRole("tab", { name: "Inspect" }).click();
  await shoot("inspect");
});

test("what the stock CLI changes is seen without a reload", async () => {
  const archive = join(repository, "test-results", "busybox.tar");
  writeFileSync(archive, await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", archive);
  await page
    .getByRole("navigation")
    .getByRole("link", { name: /Containers/ })
    .click();
  await docker.ok("run", "-d", "--name", "from-cli", "busybox", "sleep", "300");
  await expect(page.getByRole("row").filter({ hasText: "from-cli" })).toContainText("running", { timeout: 10_000 });
  await docker.ok("rm", "-f", "from-cli");
  await expect(page.getByRole("row").filter({ hasText: "from-cli" })).toHaveCount(0, { timeout: 10_000 });
});

test("images, volumes and networks are listed", async () => {
  for (const [name, text] of [
    ["Images", "busybox"],
    ["Volumes", ""],
    ["Networks", "bridge"],
    ["Settings", ""],
  ] as const) {
    await page
      .getByRole("navigation")
      .getByRole("link", { name: new RegExp(name) })
      .click();
    if (text !== "") await expect(page.getByRole("row").filter({ hasText: text }).first()).toBeVisible();
    await shoot(name.toLowerCase());
  }
});

test("no serious accessibility finding in light or dark", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const name of ["Containers", "Images", "Volumes", "Networks", "Settings"]) {
      await page
        .getByRole("navigation")
        .getByRole("link", { name: new RegExp(name) })
        .click();
      await expect(page.getByRole("heading").first()).toBeVisible();
      const found = await new AxeBuilder({ page }).analyze();
      const serious = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
      expect(serious.map((v) => `${name}, ${colorScheme}: ${v.id}: ${v.nodes[0]?.html}`)).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
});

test("stop, start again, and delete", async () => {
  await page
    .getByRole("navigation")
    .getByRole("link", { name: /Containers/ })
    .click();
  await page.getByRole("link", { name: "welcome", exact: true }).first().click();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(page.getByTestId("container-state")).toContainText("exited", { timeout: 60_000 });
  await page.getByRole("button", { name: "Start", exact: true }).first().click();
  await expect(page.getByTestId("container-state")).toContainText("running", { timeout: 60_000 });
  await page.getByRole("button", { name: "Delete…" }).click();
  await page
    .getByTestId("confirm")
    .getByRole("button", { name: /^Delete/ })
    .click();
  await expect.poll(() => docker.ok("ps", "-aq", "--filter", "name=welcome"), { timeout: 60_000 }).toBe("");
});
