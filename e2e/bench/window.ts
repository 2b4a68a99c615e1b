import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, startWeb } from "../fixtures/program.ts";
import type { ScriptedEngine } from "../fixtures/scripted-engine.ts";
import { type BarePage, openBarePage } from "./chromium.ts";
import { crowdSize, logLines, needle, runningCount, sentLog, startCrowd, talker } from "./crowd.ts";
import { median, type Outcome } from "./outcomes.ts";

const rounds = 5;
const liveMs = 20_000;
const hiddenMs = 20_000;
const keystrokes = 60;
const size = { width: 1280, height: 800 };
/** All that run are in sight. */
const tall = { width: 1280, height: 2_600 };

/**
 * What the window costs, in a Chromium that nothing else watches, over an engine that is scripted since it has a thousand
 * containers; host core, bridge and server are the real ones. Figures are of the page's own process.
 */
export async function windowOutcomes(): Promise<Outcome[]> {
  await using engine = await startCrowd();
  const root = mkdtempSync(join(tmpdir(), "slipway-bench-window-"));
  process.env["DOCKER_CONFIG"] = join(root, "docker-config");
  writeFileSync(join(root, "settings.json"), JSON.stringify({ contextAsked: true }));
  try {
    const load = await loading(engine, root);
    await using web = await startWeb({ root, args: ["--engine", engine.socket] });
    await using page = await openBarePage(tall);
    await show(page, web);
    const live = await living(page, engine);
    const hidden = await hiding(page, engine);
    await page.send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
    return [load, live, ...hidden, ...(await routes(page)), ...(await terminal(page)), ...(await log(page))];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const allowed = (row: string, unit: Outcome["unit"], value: number, budget: number): Outcome => {
  console.error(`${row}: ${value.toFixed(1)} ${unit}`);
  return { row: `window: ${row}, of ${budget} ${unit} asked for`, unit, values: [value], against: budget, budget: 1 };
};
const told = (row: string, unit: Outcome["unit"], value: number): Outcome => {
  console.error(`${row}: ${value.toFixed(1)} ${unit}`);
  return { row: `window: ${row}`, unit, values: [value], budget: undefined };
};

async function show(page: BarePage, web: Program): Promise<void> {
  await page.send("Page.navigate", { url: web.socket });
  await page.until(`document.querySelector('[data-testid^="row-"]')`);
  await page.evaluate("new Promise((resolve) => requestIdleCallback(() => resolve()))");
}

/** From the address to rows that can be clicked, with nothing cached, a thousand containers to list. */
async function loading(engine: ScriptedEngine, root: string): Promise<Outcome> {
  const seen: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using web = await startWeb({ root, args: ["--engine", engine.socket] });
    await using page = await openBarePage(size);
    const before = await page.processorMs();
    await show(page, web);
    seen.push((await page.processorMs()) - before);
  }
  return allowed(`processor time from the address to ${crowdSize} containers listed`, "ms", median(seen), 1_000);
}

const statsStreams = (engine: ScriptedEngine): number => engine.open().filter((call) => call.endsWith("/stats")).length;

async function living(page: BarePage, engine: ScriptedEngine): Promise<Outcome> {
  await waitFor(
    () => statsStreams(engine) === runningCount,
    () => `${statsStreams(engine)} of ${runningCount} streams of figures are open`,
  );
  await sleep(5_000);
  const before = await page.processorMs();
  await sleep(liveMs);
  const share = (100 * ((await page.processorMs()) - before)) / liveMs;
  return allowed(`a processor's share with ${crowdSize} containers, ${runningCount} of them with live figures`, "%", share, 10);
}

/** What goes on while the window is minimised. */
async function hiding(page: BarePage, engine: ScriptedEngine): Promise<Outcome[]> {
  const { windowId } = await page.send<{ windowId: number }>("Browser.getWindowForTarget");
  await page.send("Browser.setWindowBounds", { windowId, bounds: { windowState: "minimized" } });
  await page.until(`document.visibilityState === "hidden"`);
  await waitFor(
    () => statsStreams(engine) === 0,
    () => `${statsStreams(engine)} streams of figures stay open`,
  );
  const [asked, before] = [engine.asked.length, await page.processorMs()];
  await sleep(hiddenMs);
  const calls = engine.asked.slice(asked).filter((call) => call !== "GET /_ping").length;
  const share = (100 * ((await page.processorMs()) - before)) / hiddenMs;
  await page.send("Browser.setWindowBounds", { windowId, bounds: { windowState: "normal" } });
  await waitFor(
    () => statsStreams(engine) === runningCount,
    () => "figures did not come back",
  );
  return [
    told(`calls of a hidden window in ${hiddenMs / 1_000} s, streams of figures all closed`, "calls", calls),
    told("a processor's share of a hidden window", "%", share),
  ];
}

const pages = ["images", "builds", "volumes", "networks", "compose", "logs", "engine", "trash", "settings", "containers"];

async function routes(page: BarePage): Promise<Outcome[]> {
  await page.evaluate(`window.goTo = (route) => new Promise((resolve) => {
    const before = document.querySelector("main h1");
    const from = performance.now();
    const look = () => {
      const title = document.querySelector("main h1");
      if (title === null || title === before) return false;
      // The frame that shows it has been drawn when the task after it runs.
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
      return true;
    };
    const watch = new MutationObserver(() => look() && watch.disconnect());
    watch.observe(document.body, { childList: true, subtree: true });
    location.hash = "/" + route;
  })`);
  const seen = new Map<string, number[]>(pages.map((route) => [route, []]));
  await page.evaluate(`goTo("images")`);
  const heapBefore = await visitAll(page, new Map());
  for (let round = 0; round < rounds * 2; round += 1) await visitAll(page, seen);
  const heapAfter = await page.heapBytes();
  const [slowest = "", worst = Number.NaN] = [...seen].map(([route, times]) => [route, median(times)] as const).sort((a, b) => b[1] - a[1])[0] ?? [];
  return [
    allowed(`to the page that takes longest (${slowest}), until it is drawn`, "ms", worst, 50),
    told("to any page, until it is drawn", "ms", median([...seen.values()].flat())),
    told(`objects of JavaScript with ${crowdSize} containers`, "MB", heapAfter / 1e6),
    told(`growth of them in ${rounds * 2 * pages.length} changes of the page`, "MB", (heapAfter - heapBefore) / 1e6),
  ];
}

async function visitAll(page: BarePage, seen: ReadonlyMap<string, number[]>): Promise<number> {
  for (const route of pages.slice(1).concat("images")) {
    // What a page asks for when it opens belongs to that page.
    await sleep(150);
    const took = await page.evaluate<number>(`goTo(${JSON.stringify(route)})`);
    seen.get(route)?.push(took);
  }
  return await page.heapBytes();
}

async function terminal(page: BarePage): Promise<Outcome[]> {
  await page.evaluate(`void (location.hash = "/containers/${talker}/terminal")`);
  await page.until(`document.querySelector(".xterm-rows")?.textContent.includes("$")`);
  await page.evaluate(`(() => {
    window.echoes = [];
    let pressed;
    addEventListener("keydown", () => (pressed = performance.now()), true);
    const rows = document.querySelector(".xterm-rows");
    let text = rows.textContent;
    new MutationObserver(() => {
      if (rows.textContent === text || pressed === undefined) return;
      text = rows.textContent;
      echoes.push(performance.now() - pressed);
      pressed = undefined;
    }).observe(rows, { childList: true, subtree: true, characterData: true });
    document.querySelector(".xterm-helper-textarea").focus();
  })()`);
  for (let n = 0; n < keystrokes; n += 1) {
    const key = String.fromCharCode(97 + (n % 26));
    await page.send("Input.dispatchKeyEvent", { type: "keyDown", key, text: key, windowsVirtualKeyCode: key.toUpperCase().charCodeAt(0) });
    await page.send("Input.dispatchKeyEvent", { type: "keyUp", key, windowsVirtualKeyCode: key.toUpperCase().charCodeAt(0) });
    await sleep(80 + (n % 7) * 3);
  }
  const echoes = await page.evaluate<number[]>("echoes");
  if (echoes.length < keystrokes * 0.9) throw new Error(`of ${keystrokes} keystrokes ${echoes.length} were echoed`);
  const sorted = echoes.toSorted((a, b) => a - b);
  return [
    allowed("a keystroke's echo on the screen, 95 of 100 of them within", "ms", sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN, 30),
    told("a keystroke's echo on the screen", "ms", median(echoes)),
  ];
}

async function log(page: BarePage): Promise<Outcome[]> {
  const before = await page.processorMs();
  await page.evaluate(`void (location.hash = "/containers/${talker}/logs")`);
  await page.until(`Number(document.querySelector('[data-testid="log-lines"]')?.textContent.replace(/\\D/g, "")) >= ${logLines}`, 120_000);
  const cpuMs = (await page.processorMs()) - before;
  const searches: number[] = [];
  await page.evaluate(`void document.querySelector('[role="toolbar"] [data-search]').focus()`);
  // What is counted are lines with the whole of it: each round leaves one letter less to find.
  for (let round = 0; round < rounds; round += 1) searches.push(await search(page, needle.slice(0, needle.length - round)));
  const heap = await page.heapBytes();
  return [
    allowed(`${logLines / 1e6} M lines of a log taken in`, "MB/s", sentLog.bytes / 1e3 / cpuMs, 20),
    allowed("a search through them, from the keystroke to the count", "ms", median(searches), 250),
    told("objects of JavaScript outside the log's own store", "MB", heap / 1e6),
  ];
}

async function search(page: BarePage, text: string): Promise<number> {
  await page.evaluate(`(() => {
    const field = document.querySelector('[role="toolbar"] [data-search]');
    field.select();
    window.found = new Promise((resolve) => {
      let from;
      field.addEventListener("input", () => {
        from = performance.now();
        const look = () => document.querySelector('[data-testid="log-matches"]')?.textContent.includes("1,000") === true;
        let cleared = false;
        const timer = setInterval(() => {
          if (!look()) cleared = true;
          else if (cleared) { clearInterval(timer); resolve(performance.now() - from); }
        }, 1);
      }, { once: true });
    });
  })()`);
  await page.send("Input.insertText", { text });
  return await page.evaluate<number>("found");
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function waitFor(done: () => boolean, says: () => string, deadlineMs = 60_000): Promise<void> {
  for (const end = performance.now() + deadlineMs; !done(); ) {
    if (performance.now() > end) throw new Error(says());
    await sleep(50);
  }
}
