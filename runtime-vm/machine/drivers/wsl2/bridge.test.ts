import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { bridgeCommand, signalCommand } from "./commands.ts";

test("the bridge carries both directions and keeps half-close", async () => {
  const dir = mkdtempSync(join(tmpdir(), "slipway-bridge-"));
  const server = createServer({ allowHalfOpen: true }, (socket) => void text(socket).then((all) => socket.end(`got ${all}`)));
  server.listen(join(dir, "s"));
  await once(server, "listening");
  const [, ...args] = bridgeCommand(join(dir, "s"));
  const bridge = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  bridge.stdin.end("request");
  expect(await text(bridge.stdout)).toBe("got request");
  server.close();
  rmSync(dir, { recursive: true });
});

test("a stop asks the engine of this socket, and no other program", async () => {
  const idle = "setInterval(() => {}, 1000); console.log('up')";
  const dir = mkdtempSync(join(tmpdir(), "slipway-stop-"));
  const program = join(dir, "main.mjs");
  writeFileSync(program, idle);
  const socket = join(dir, "s.sock");
  const start = (...args: string[]) => spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const engine = start(program, "--root", "/r", "--socket", socket);
  const others = [start(program, "--socket", `${socket}2`), start("-e", idle, socket)];
  await Promise.all([engine, ...others].map((child) => once(child.stdout, "data")));
  const [command = "", ...args] = signalCommand("TERM", socket);
  execFileSync(command, args);
  const [, signal] = (await once(engine, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGTERM");
  expect(others.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([null, null]);
  for (const other of others) other.kill("SIGKILL");
  rmSync(dir, { recursive: true });
});
