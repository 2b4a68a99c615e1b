import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { bridgeCommand } from "./commands.ts";

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
