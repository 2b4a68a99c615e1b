import { readFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { create, openRig, remove, type Rig, run, sh } from "./engine/rig.ts";
import { look } from "./fixtures/window.ts";
import { makeImage } from "./fixtures/image.ts";
import { type Program, startEngine, startWeb } from "./fixtures/program.ts";
import { startRegistry, type TestRegistry } from "./fixtures/registry.ts";

// The window over a native engine: what people expect of lists, logs, terminals and figures, with the keyboard alone,
// in both themes, in narrow windows, and while the engine is away.
test.describe.configure({ mode: "serial", timeout: 180_000 });

const longName = "a-very-long-container-name-made-by-compose-for-some-project-frontend-webpack-dev-server-1";
let rig: Rig;
let web: Program;
let registry: TestRegistry;
let page: Page;
const ids = new Map<string, string>();

test.beforeAll(async ({ browser }) => {
  rig = await openRig("window");
  const ports = Object.fromEntries(["80/tcp", "81/tcp", "82/tcp", "53/udp"].map((port, n) => [port, [{ HostIp: "", HostPort: `${18_080 + n}` }]]));
  const ExposedPorts = Object.fromEntries(Object.keys(ports).map((port) => [port, {}]));
  ids.set("web", await run(rig.client, { name: "web", Cmd: ["sleep", "3600"], ExposedPorts, HostConfig: { PortBindings: ports } }));
  ids.set("talker", await run(rig.client, { name: "talker", ...sh("seq 1 5000; trap 'exit 0' TERM; while :; do sleep 0.1; echo tick; done") }));
  ids.set("failed", await run(rig.client, { name: "failed", ...sh("echo first; exit 3") }));
  ids.set("paused", await run(rig.client, { name: "paused", Cmd: ["sleep", "3600"] }));
  ids.set("fresh", await create(rig.client, { name: "fresh", Env: ["DB_PASSWORD=hunter2"] }));
  ids.set(longName, await create(rig.client, { name: longName }));
  await rig.client.call("POST", "/containers/paused/pause");
  registry = await startRegistry({ dir: join(rig.program.root, "registry"), port: 5080, netns: rig.netns });
  const layer = (n: number) => [{ name: `file${n}`, data: Buffer.alloc(200_000, n) }];
  await registry.push("shop/front", "1", await makeImage("shop/front:1", [layer(1), layer(2), layer(3)]));
  // Not the docker configuration of whoever runs the tests.
  process.env["DOCKER_CONFIG"] = join(rig.program.root, "docker-config");
  web = await startWeb({ args: ["--engine", rig.program.socket] });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(web.socket);
  await expect(page.getByTestId("engine-state")).toContainText("running", { ignoreCase: true });
  await page.getByTestId("context-question").getByRole("button", { name: "Not now" }).click();
});
test.afterAll(async () => {
  await page?.context().close();
  await web?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  // Containers outlive their engine: none may be left to hold its folder.
  for (const id of await left()) await remove(rig.client, id);
  await rig?.[Symbol.asyncDispose]();
});
const left = async (): Promise<string[]> =>
  (await rig?.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }).catch(() => []))?.map(({ Id }) => Id) ?? [];

const row = (name: string): Locator => page.getByTestId(`row-${name}`);
async function goTo(name: string): Promise<void> {
  await page
    .getByRole("navigation")
    .getByRole("link", { name: new RegExp(name) })
    .click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}
async function openContainer(name: string, tab: string): Promise<void> {
  await goTo("Containers");
  await row(name).getByRole("link", { name, exact: true }).click();
  await page.getByRole("tab", { name: tab }).click();
}

test("states are Docker's words; ports are links, and those that do not fit are counted", async () => {
  const words = { web: "running", failed: "exited (3)", paused: "paused", fresh: "created" };
  for (const [name, word] of Object.entries(words)) await expect(row(name).getByTestId("state")).toContainText(word);
  await expect(row("web").getByRole("link", { name: "18080:80" })).toHaveAttribute("href", "http://localhost:18080");
  await expect(row("web")).toContainText("+3");
  await expect(page.getByText("external engine")).toBeVisible();
});

test("a change made by another client is seen without a reload, and a double click sends one order", async () => {
  const id = await run(rig.client, { name: "passing", Cmd: ["sleep", "3600"] });
  await expect(row("passing")).toContainText("running");
  await row("passing").getByRole("button", { name: "Restart" }).dblclick();
  await expect(row("passing")).toContainText(/restarting|running/);
  await remove(rig.client, id);
  await expect(row("passing")).toHaveCount(0);
  await expect(page.getByTestId("toast-error")).toHaveCount(0);
});

test("a row has one menu: by its button, by the right button and by Shift+F10", async () => {
  const menu = page.getByRole("menu", { name: "Actions for web" });
  const items = async (): Promise<string[]> => {
    await expect(menu).toBeVisible();
    const found = await menu.getByRole("menuitem").allTextContents();
    await page.keyboard.press("Escape");
    await expect(menu).toHaveCount(0);
    return found;
  };
  await row("web").getByRole("button", { name: "Actions for web" }).click();
  const byButton = await items();
  expect(byButton).toContain("Open terminal");
  await row("web").click({ button: "right", position: { x: 200, y: 20 } });
  expect(await items()).toEqual(byButton);
  await row("web").focus();
  await page.keyboard.press("Shift+F10");
  expect(await items()).toEqual(byButton);
});

test("checkboxes select, Shift extends, and the bar acts on all", async () => {
  await row("failed").getByRole("checkbox").click();
  await row("fresh")
    .getByRole("checkbox")
    .click({ modifiers: ["Shift"] });
  await expect(page.getByTestId("bulk-bar")).toContainText("selected");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("bulk-bar")).toHaveCount(0);
});

test("every control of the list is reached by Tab, and shows that it has the focus", async () => {
  await page
    .getByRole("navigation")
    .getByRole("link", { name: /Containers/ })
    .focus();
  const seen: string[] = [];
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const style = getComputedStyle(element);
      return {
        name: element.getAttribute("aria-label") ?? element.textContent ?? "",
        ring: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 1,
      };
    });
    expect(at, `focus on ${at.name}`).toMatchObject({ ring: true });
    seen.push(at.name);
    if (at.name.startsWith("Engine running")) break;
  }
  for (const wanted of ["Images", "Settings", "Search containers", "Run", "Select all", "State"])
    expect(
      seen.some((name) => name.startsWith(wanted)),
      wanted,
    ).toBe(true);
  // One row is in the tab order, with its own controls.
  expect(seen.filter((name) => name.startsWith("Actions for"))).toHaveLength(1);
});

test("Escape leaves a container for the row it was opened from", async () => {
  await row("failed").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "failed" })).toBeVisible();
  expect(page.url()).toContain("/logs");
  await page.keyboard.press("Escape");
  await expect(row("failed")).toBeFocused();
  await row("web").getByRole("link", { name: "web", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "web" })).toBeVisible();
  await page.goBack();
  await expect(row("web")).toBeFocused();
});

test("the log follows until it is scrolled up, finds by keyboard, and is there again after leaving", async () => {
  await openContainer("talker", "Logs");
  const lines = async (): Promise<number> => Number((await page.getByTestId("log-lines").textContent())?.replace(/\D/g, ""));
  await expect.poll(lines).toBeGreaterThan(5_000);
  await expect(page.getByTestId("log-view")).toContainText("tick");
  await page.getByTestId("log-view").hover();
  await page.mouse.wheel(0, -4_000);
  await expect(page.getByTestId("jump-newest")).toContainText(/\d+ new/);
  await page.keyboard.press("Control+f");
  await page.keyboard.type("4321");
  await expect(page.getByTestId("log-matches")).toContainText("1 line");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("log-matches")).toContainText("1 of 1");
  await expect(page.getByTestId("log-view").locator("mark")).toContainText("4321");
  await page.getByTestId("jump-newest").click();
  await expect(page.getByTestId("jump-newest")).toHaveCount(0);
  await page.getByRole("button", { name: "Clear view" }).click();
  await expect.poll(lines).toBeLessThan(1_000);
  await page.getByRole("tab", { name: "Inspect" }).click();
  await goTo("Volumes");
  await openContainer("talker", "Logs");
  // Read anew it would have its five thousand lines again.
  await expect.poll(lines).toBeGreaterThan(0);
  expect(await lines()).toBeLessThan(1_000);
});

test("a terminal has the window's size, outlives its page, and says when its shell has ended", async () => {
  await openContainer("web", "Terminal");
  const rows = page.getByTestId("terminal").locator(".xterm-rows");
  await expect(rows).toContainText(/[#$]/);
  await page.keyboard.type("echo kept-$((20+2)); stty size 2>/dev/null || echo no-stty\n");
  await expect(rows).toContainText("kept-22");
  await goTo("Images");
  await openContainer("web", "Terminal");
  await expect(rows).toContainText("kept-22");
  await page.getByTestId("terminal").click();
  await page.keyboard.type("exit 7\n");
  await expect(page.getByTestId("terminal-ended")).toContainText("exit code 7");
  await page.getByRole("button", { name: "Reconnect" }).click();
  await expect(page.getByTestId("terminal-ended")).toHaveCount(0);
  await expect(rows).toContainText(/[#$]/);
});

test("several shells of a container are open at once, each with its own screen; one that is closed leaves the others", async () => {
  await openContainer("web", "Terminal");
  const rows = page.getByTestId("terminal").locator(".xterm-rows");
  const shells = page.getByRole("toolbar", { name: "Shells" });
  await expect(rows).toContainText(/[#$]/);
  await page.getByTestId("terminal").click();
  await page.keyboard.type("echo first-$((1+1))\n");
  await expect(rows).toContainText("first-2");
  await shells.getByRole("button", { name: "Open another shell" }).click();
  await expect(rows).not.toContainText("first-2");
  await expect(rows).toContainText(/[#$]/);
  await page.keyboard.type("echo second-$((2+1))\n");
  await expect(rows).toContainText("second-3");
  await look(page, "shells");
  await shells.getByRole("button", { name: "Shell 1", exact: true }).click();
  await expect(rows).toContainText("first-2");
  await shells.getByRole("button", { name: "Close shell 1" }).click();
  await expect(rows).toContainText("second-3");
  await expect(shells.getByRole("button", { name: "Shell 1", exact: true })).toHaveCount(0);
});

test("a stopped container has no terminal and no figures, and says what to do", async () => {
  await openContainer("failed", "Terminal");
  await expect(page.getByRole("tabpanel").getByRole("button", { name: "Start" })).toBeVisible();
  await page.getByRole("tab", { name: "Stats" }).click();
  await expect(page.getByText("Figures are taken while the container runs.")).toBeVisible();
});

test("figures come each second, with units, a summary in words and the missing limit", async () => {
  await openContainer("talker", "Stats");
  const stats = page.getByTestId("stats");
  await expect.poll(async () => Number(await stats.getAttribute("data-points"))).toBeGreaterThan(2);
  await expect(stats).toContainText("No limit set");
  await expect(stats.getByRole("img", { name: /CPU: now .* %, peak .* %, mean/ })).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  const frozen = await stats.getAttribute("data-points");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(async () => await stats.getAttribute("data-points")).not.toBe(frozen);
});

test("values named like secrets are hidden until they are asked for", async () => {
  await openContainer("fresh", "Inspect");
  await page.getByRole("button", { name: "Expand all" }).click();
  await expect(page.getByTestId("inspect")).toContainText("DB_PASSWORD");
  await expect(page.getByTestId("inspect")).not.toContainText("hunter2");
});

test("the files of a container that is not running are browsed, uploaded and edited; what was changed is marked", async () => {
  await openContainer("failed", "Files");
  const file = (name: string): Locator => page.getByTestId(`file-${name}`);
  await file("tmp").getByRole("button").click();
  await expect(page.getByTestId("files-path")).toContainText("tmp");
  await page.getByTestId("files-upload").setInputFiles({ name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("first\n") });
  await expect(file("note.txt")).toContainText("added");
  await file("note.txt").getByRole("button").click();
  const text = page.getByLabel("Contents of note.txt");
  await expect(text).toHaveValue("first\n");
  await text.fill("second\n");
  await page.getByTestId("file-view").getByRole("button", { name: "Save" }).click();
  await expect(page.getByTestId("file-view")).toHaveCount(0);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as tar: note.txt" }).click();
  const path = await (await download).path();
  expect(readFileSync(path, "utf8")).toContain("second\n");
  await page.screenshot({ path: "test-results/window-files.png" });
});

test("processes, network and events of a container are what the engine says, as they happen", async () => {
  await openContainer("talker", "Processes");
  await expect(page.getByTestId("processes")).toContainText("sleep 0.1");
  await openContainer("web", "Network");
  await expect(page.getByTestId("network")).toContainText("0.0.0.0:18080");
  await page.getByRole("button", { name: "Disconnect from bridge" }).click();
  await expect(page.getByTestId("network")).toContainText("connected to no network");
  await page.getByTestId("network").locator("select").selectOption("bridge");
  await expect(page.getByTestId("network").getByRole("link", { name: "bridge" })).toBeVisible();
  await openContainer("paused", "Events");
  await expect(page.getByTestId("events").locator("tbody tr").first()).toContainText("pause");
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Resume" }).click();
  await expect(page.getByTestId("events").locator("tbody tr").first()).toContainText("unpause");
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Pause", exact: true }).click();
  await expect(page.getByTestId("container-state")).toContainText("paused");
});

test("a palette leads to every object, and does what may be done with it", async () => {
  await goTo("Images");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("start failed");
  await expect(page.getByRole("option").first()).toContainText("exited (3)");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("palette")).toHaveCount(0);
  await goTo("Containers");
  // It ran once more, and failed as before.
  await expect(row("failed").getByTestId("state")).toContainText(/second|just now/);
  await expect(row("failed").getByTestId("state")).toContainText("exited (3)");
});

test("a pull has one bar a layer and goes on when its dialog is left; one that fails says why and what to do", async () => {
  await goTo("Images");
  const pull = async (reference: string): Promise<void> => {
    await page.getByTestId("pull").click();
    await page.getByLabel("Image reference").fill(reference);
    await page.getByTestId("pull-submit").click();
  };
  await pull(`${registry.address}/shop/front:1`);
  await expect(page.getByRole("progressbar", { name: /^Layer / })).toHaveCount(3);
  await page.keyboard.press("Escape");
  await expect(row(`${registry.address}/shop/front:1`)).toBeVisible();
  await pull(`${registry.address}/shop/nothing:1`);
  const notice = page.getByRole("dialog").getByTestId("error-notice");
  await expect(notice).toContainText(`Could not pull “${registry.address}/shop/nothing:1”`);
  await expect(notice).not.toContainText("Error: Error");
  await page.keyboard.press("Escape");
});

test("no serious accessibility finding on any page, tab or dialog, in light and in dark", async () => {
  test.setTimeout(600_000);
  const found: string[] = [];
  // The themes differ in their colours only.
  const look = async (place: string): Promise<void> => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
      const { violations } = await (colorScheme === "dark" ? axe.withRules(["color-contrast"]) : axe).analyze();
      for (const { id, impact, nodes } of violations)
        if (impact === "serious" || impact === "critical") found.push(`${place}, ${colorScheme}: ${id}: ${nodes[0]?.html}`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  };
  for (const name of ["Images", "Builds", "Volumes", "Networks", "Compose", "Engine", "Settings", "Containers"]) {
    await goTo(name);
    await look(name);
  }
  await page.getByTestId("run").click();
  await page.getByTestId("run-submit").click();
  await expect(page.getByLabel("Image", { exact: true })).toBeFocused();
  await look("run form with an error");
  await page.keyboard.press("Escape");
  await row("failed").getByRole("checkbox").click();
  await look("selection");
  await page.getByTestId("bulk-bar").getByRole("button", { name: "Delete…" }).click();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeFocused();
  await look("question before deleting");
  await page.keyboard.press("Escape");
  await page.getByTestId("bulk-bar").getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("?");
  await look("shortcuts");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("talker");
  await look("palette");
  await page.keyboard.press("Escape");
  await page.getByTestId("run").click();
  for (const part of ["Advanced", "Network", "Security"]) {
    await page.getByRole("radio", { name: part }).click();
    await look(`run form, ${part}`);
  }
  await page.keyboard.press("Escape");
  for (const tab of ["Logs", "Inspect", "Terminal", "Files", "Stats", "Processes", "Network", "Events"]) {
    await openContainer("talker", tab);
    await look(tab);
  }
  expect(found).toEqual([]);
});

test("nothing is cut off in a narrow window or at 200 % zoom", async () => {
  for (const [width, height] of [
    [900, 600],
    [640, 400],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const name of ["Containers", "Images", "Builds", "Volumes", "Networks", "Compose", "Settings"]) {
      await goTo(name);
      const beyond = await page.evaluate(() => {
        const cut = [...document.querySelectorAll("main button, main a, nav a, footer button")].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
        });
        return cut.map((element) => element.getAttribute("aria-label") ?? element.textContent);
      });
      expect(beyond, `${name} at ${width}`).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

test("with the engine away the window tells why and keeps its lists; it goes on when the engine is back", async () => {
  await goTo("Containers");
  await rig.program.stop();
  const banner = page.getByTestId("engine-banner");
  await expect(banner).toContainText("No engine answers");
  for (const name of ["Retry", "Repair", "Diagnostics"]) await expect(banner.getByRole("button", { name })).toBeVisible();
  await expect(page.getByTestId("table-containers")).toHaveAttribute("aria-busy", "true");
  await expect(row("web")).toBeVisible();
  await banner.getByRole("button", { name: "Diagnostics" }).click();
  await expect(page.getByTestId("diagnostics")).toContainText("fail");
  await page.keyboard.press("Escape");
  await using engine = await startEngine({ isolate: rig.netns, root: rig.program.root });
  await expect(banner).toHaveCount(0);
  await expect(page.getByTestId("table-containers")).toHaveAttribute("aria-busy", "false");
  await goTo("Volumes");
  await expect(page.getByTestId("engine-state")).toContainText("running", { ignoreCase: true });
  for (const id of ids.values()) await remove(rig.client, id);
  await goTo("Containers");
  await expect(page.getByRole("heading", { name: "No containers yet" })).toBeVisible();
  expect(engine.output()).toContain("ready");
});
