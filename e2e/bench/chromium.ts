import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A page of a Chromium of its own, driven by the DevTools protocol alone: nothing in it works but the page. */
export interface BarePage extends AsyncDisposable {
  send<T = unknown>(method: string, params?: object): Promise<T>;
  /** Runs an expression in the page, which may be a promise, and brings back its value. */
  evaluate<T>(expression: string): Promise<T>;
  /** Resolves when the expression is true there. */
  until(expression: string, deadlineMs?: number): Promise<void>;
  /** Processor time that the page's process has taken, all threads, workers among them. */
  processorMs(): Promise<number>;
  /** Bytes of JavaScript's objects after a collection. */
  heapBytes(): Promise<number>;
}

/** As the app opens its window, and out of sight. */
const flags = [
  "--disable-features=DeferRendererTasksAfterInput",
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
];
const pollMs = 50;

export async function openBarePage({ width, height }: { width: number; height: number }): Promise<BarePage> {
  await using undo = new AsyncDisposableStack();
  const profile = mkdtempSync(join(tmpdir(), "slipway-bench-chromium-"));
  undo.defer(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  const program = process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = spawn(program, [...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, `--window-size=${width},${height}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  undo.defer(() => ended(browser));
  const protocol = await connect(await address(browser));
  undo.defer(() => protocol.close());
  const { targetInfos } = await protocol.send<{ targetInfos: { targetId: string; type: string }[] }>("Target.getTargets", {});
  const target = targetInfos.find(({ type }) => type === "page");
  if (target === undefined) throw new Error("Chromium opened no page");
  const { sessionId } = await protocol.send<{ sessionId: string }>("Target.attachToTarget", { targetId: target.targetId, flatten: true });
  const send: BarePage["send"] = (method, params = {}) => protocol.send(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Performance"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  const all = undo.move();

  const evaluate: BarePage["evaluate"] = async <T>(expression: string) => {
    const { result, exceptionDetails } = await send<Evaluated>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  };
  return {
    send,
    evaluate,
    async until(expression, deadlineMs = 60_000) {
      for (const end = performance.now() + deadlineMs; !(await evaluate<boolean>(`Boolean(${expression})`)); ) {
        if (performance.now() > end) throw new Error(`it did not come true: ${expression}\n${await evaluate<string>("document.body.innerText")}`);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    async processorMs() {
      const { processInfo } = await protocol.send<{ processInfo: { type: string; cpuTime: number }[] }>("SystemInfo.getProcessInfo", {});
      return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0);
    },
    async heapBytes() {
      await send("HeapProfiler.collectGarbage");
      const { metrics } = await send<{ metrics: { name: string; value: number }[] }>("Performance.getMetrics");
      return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Evaluated {
  readonly result: { readonly value: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

async function ended(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.signalCode !== null) return;
  browser.kill();
  await once(browser, "exit");
}

/** Chromium says it on its standard error. */
function address(browser: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: browser.stderr ?? process.stdin }).on("line", (line) => {
      said.push(line);
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    browser.once("error", reject);
    browser.once("exit", () => reject(new Error(`Chromium ended:\n${said.slice(-10).join("\n")}`)));
  });
}

interface Protocol {
  send<T>(method: string, params: object, sessionId?: string): Promise<T>;
  close(): void;
}

async function connect(url: string): Promise<Protocol> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`no DevTools at ${url}`)), { once: true });
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
    const asker = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || asker === undefined) return;
    waiting.delete(id);
    if (error === undefined) asker.resolve(result);
    else asker.reject(new Error(error.message));
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("Chromium closed the connection"));
  });
  let last = 0;
  return {
    send: <T>(method: string, params: object, sessionId?: string) => {
      const id = (last += 1);
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return answer as Promise<T>;
    },
    close: () => socket.close(),
  };
}
