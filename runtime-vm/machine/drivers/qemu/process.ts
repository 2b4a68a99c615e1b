import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { delay } from "#base/deadline.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import type { MachinePaths } from "#machine/names.ts";

const complaintLinesMax = 20;

/** One QEMU, from its start to its end. Disposing kills it. */
export interface QemuProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, however it did. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The first lines of its own complaints. */
  readonly complaint: () => string;
}

/**
 * Starts QEMU with its console on our pipe: each line goes to `onLine` and to the console log. Its sockets lie in a
 * directory of mode 0700 and it runs under umask 077, so that no other user reaches guest or monitor.
 */
export async function startQemu(command: string, args: readonly string[], paths: MachinePaths, onLine: (line: string) => void): Promise<QemuProcess> {
  await mkdir(paths.run, { recursive: true, mode: 0o700 });
  if (process.platform !== "win32") for (const stale of [paths.qmp, paths.link, paths.ctl]) await rm(stale, { force: true });
  await rename(paths.console, paths.consoleBefore).catch(() => {});
  const child = spawnPrivate(command, args);
  const exited = exitOf(child);
  try {
    await once(child, "spawn");
  } catch (error) {
    const why = codeOf(error) === "ENOENT" ? "it is not installed" : messageOf(error);
    throw new EngineError("unavailable", `cannot start ${command}: ${why}`, { cause: error });
  }
  const pid = child.pid ?? 0;
  await writeFile(paths.pid, `${pid}\n`);
  const complaints = keepConsole(child, paths.console, onLine);
  return {
    pid,
    exited,
    complaint: () => complaints.join("; "),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function spawnPrivate(command: string, args: readonly string[]): ChildProcess {
  const before = process.platform === "win32" ? undefined : process.umask(0o077);
  try {
    // Its own process group: Ctrl-C in a terminal is for us, and we shut the guest down in order.
    return spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32" });
  } finally {
    if (before !== undefined) process.umask(before);
  }
}

function exitOf(child: ChildProcess): QemuProcess["exited"] {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => child.pid === undefined && resolve({ code: null, signal: null }));
  });
}

function keepConsole(child: ChildProcess, file: string, onLine: (line: string) => void): string[] {
  const complaints: string[] = [];
  const log = createWriteStream(file, { mode: 0o600 });
  log.on("error", () => {});
  child.once("close", () => log.end());
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const plain = stripVTControlCharacters(line).replaceAll("\r", "");
      log.write(`${plain}\n`);
      onLine(plain);
    });
  }
  if (child.stderr) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      // The first ones: what comes after a failure are its registers.
      if (complaints.length < complaintLinesMax) complaints.push(line);
      log.write(`qemu: ${line}\n`);
    });
  }
  return complaints;
}

/** Connects to one of QEMU's sockets (or pipes), which appear a moment after its start. An error later on shows as its close. */
export async function connectPort(path: string, signal: AbortSignal): Promise<Socket> {
  const address = process.platform === "win32" ? `\\\\.\\pipe\\${path}` : path;
  for (;;) {
    signal.throwIfAborted();
    const socket = connect({ path: address, allowHalfOpen: true });
    try {
      await once(socket, "connect");
      socket.on("error", () => {});
      return socket;
    } catch {
      socket.destroy();
      await delay(50, signal);
    }
  }
}
