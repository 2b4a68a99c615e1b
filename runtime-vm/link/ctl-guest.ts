import { delay } from "#base/deadline.ts";
import { messageOf } from "#base/errors.ts";
import { ClockKeeper } from "./clock.ts";
import { ctlLineBytesMax, decodeToGuest, encodeCtl, type ToGuest } from "./ctl.ts";
import { JsonLines } from "./lines.ts";
import { CharPort, type Poll } from "./port.ts";

export interface CtlGuestOptions {
  readonly ctlPath: string;
  readonly io: { readonly poll: Poll; setTime(unixMs: number): void };
  readonly epoch: string;
  readonly boot: string;
  readonly version: string;
  readonly reset: () => void;
  readonly shutdown: () => Promise<void>;
  readonly powerOff: () => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

type Serving = CtlGuestOptions & { readonly clock: ClockKeeper };

/** Serves the `ctl` port until the signal aborts: opens it whenever a host is attached, says hello, answers. */
export async function serveCtl(given: CtlGuestOptions): Promise<void> {
  let stopping: Promise<void> | undefined;
  const options = { ...given, clock: new ClockKeeper(), shutdown: () => (stopping ??= given.shutdown()) };
  const { signal } = options;
  let said = "";
  while (!signal.aborted) {
    try {
      await serveOnce(await CharPort.open(options.ctlPath, options.io.poll, signal), options);
    } catch (error) {
      if (signal.aborted) return;
      if (said !== messageOf(error)) options.log(`ctl: ${options.ctlPath}: ${(said = messageOf(error))}`);
      await delay(1_000, signal).catch(() => {});
    }
  }
}

async function serveOnce(port: CharPort, options: Serving): Promise<void> {
  const lines = new JsonLines(ctlLineBytesMax);
  const abort = (): void => void port.destroy();
  options.signal.addEventListener("abort", abort, { once: true });
  port.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) onMessage(decodeToGuest(line), port, options);
  });
  port.on("end", abort);
  port.write(encodeCtl({ t: "hello", epoch: options.epoch, boot: options.boot, version: options.version }));
  try {
    await new Promise<void>((resolve, reject) => {
      port.on("error", reject);
      port.on("close", () => resolve());
    });
  } finally {
    options.signal.removeEventListener("abort", abort);
  }
}

function onMessage(message: ToGuest | undefined, port: CharPort, options: Serving): void {
  switch (message?.t) {
    case undefined:
      return;
    case "ping":
      port.write(encodeCtl({ t: "pong", seq: message.seq, epoch: options.epoch }));
      return;
    case "settime":
      return setClock(message.unixMs, options);
    case "reset":
      return options.reset();
    case "shutdown":
      return void shutDown(port, options);
  }
}

function setClock(unixMs: number, options: Serving): void {
  const time = options.clock.take(unixMs, Date.now());
  if (time === undefined) return;
  try {
    options.io.setTime(time);
  } catch (error) {
    options.log(`ctl: cannot set the clock: ${messageOf(error)}`);
  }
}

async function shutDown(port: CharPort, options: CtlGuestOptions): Promise<void> {
  try {
    await options.shutdown();
  } catch (error) {
    options.log(`ctl: stopping the engine failed, powering off nevertheless: ${messageOf(error)}`);
  }
  const bye = encodeCtl({ t: "bye", epoch: options.epoch });
  if (port.writable) port.write(bye, () => options.powerOff());
  else options.powerOff();
}
