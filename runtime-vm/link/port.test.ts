import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { afterAll, expect, test } from "vitest";
import { CharPort, type Poll } from "./port.ts";

// A FIFO opened for reading and writing answers like the port's device: EAGAIN when empty or full, and it echoes.
const dir = mkdtempSync(join(tmpdir(), "slipway-port-"));
afterAll(() => rmSync(dir, { recursive: true }));
const fifo = (name: string): string => {
  execFileSync("mkfifo", [join(dir, name)]);
  return join(dir, name);
};

koffi.struct("pollfd", { fd: "int", events: "short", revents: "short" });
const native = koffi.load("libc.so.6").func("int poll(_Inout_ pollfd *fds, unsigned long count, int timeoutMs)");
const poll: Poll = async (fd, events, timeoutMs, signal) => {
  const fds = [{ fd, events, revents: 0 }];
  // In short turns, so that an abort ends it soon.
  for (const until = performance.now() + timeoutMs; performance.now() < until; ) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => native.async(fds, 1, 20, (error: Error | null) => (error ? reject(error) : resolve())));
    if (fds[0] && fds[0].revents !== 0) return fds[0].revents;
  }
  return 0;
};

test("bytes written past the device's buffer come back whole and in order", async () => {
  const port = await CharPort.open(fifo("echo"), poll, new AbortController().signal);
  const sent = Buffer.alloc(4 * 1024 * 1024);
  for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(i, i);
  port.write(sent);
  const received: Buffer[] = [];
  let length = 0;
  for await (const chunk of port) {
    received.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= sent.length) break;
  }
  expect(Buffer.concat(received).equals(sent)).toBe(true);
});

test("destroying a port that waits for bytes closes it, and the path can be opened again", async () => {
  const path = fifo("again");
  for (let i = 0; i < 3; i++) {
    const port = await CharPort.open(path, poll, new AbortController().signal);
    port.resume();
    port.destroy();
    await once(port, "close");
    expect(port.closed).toBe(true);
  }
});

test("waiting for a host ends with the signal", async () => {
  const noHost: Poll = async () => 16;
  const controller = new AbortController();
  const opening = CharPort.open(fifo("nohost"), noHost, controller.signal);
  controller.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
});
