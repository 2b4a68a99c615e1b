import { expect, test } from "vitest";
import { decodeToGuest, decodeToHost, encodeCtl } from "./ctl.ts";
import { DatagramReader, frameDatagram } from "./datagrams.ts";
import { JsonLines } from "./lines.ts";
import { formatTarget, parseTarget, type Target } from "./targets.ts";
import { parseUsage } from "./usage.ts";

test("every target survives its path", () => {
  const targets: Target[] = [
    { kind: "engine" },
    { kind: "calls" },
    { kind: "tcp", address: "fe80::1%eth0", port: 65_535 },
    { kind: "udp", address: "172.17.0.2", port: 53 },
    { kind: "accept", ticket: "00ff" },
  ];
  for (const target of targets) expect(parseTarget(formatTarget(target))).toEqual(target);
});

test.each([
  "",
  "/",
  "/engine/x",
  "/tcp",
  "/tcp/1.2.3.4",
  "/tcp/1.2.3.4/0",
  "/tcp/1.2.3.4/65536",
  "/tcp/1.2.3.4/8o",
  "/tcp/a/1/2",
  "/accept/../engine",
  "/accept/",
  "/file/etc/passwd",
])("%j is refused as a target", (path) => expect(() => parseTarget(path)).toThrow("is no tunnel target"));

test("datagrams are cut at the same places whatever the chunks", () => {
  const payloads = ["", "one", "x".repeat(65_507)].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(payloads.map(frameDatagram));
  for (const size of [7, 1_000, bytes.length]) {
    const reader = new DatagramReader();
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...reader.push(bytes.subarray(at, at + size)));
    expect(found.map(String)).toEqual(payloads.map(String));
  }
  expect(() => frameDatagram(Buffer.alloc(65_508))).toThrow("too long");
});

test("JSON lines survive torn chunks, torn characters and rubbish between them", () => {
  const lines = new JsonLines(1_000);
  const bytes = Buffer.from('f":1}\n{"a":"ä€"}\n[1]\nnull\n\n{"b":2}\n{"c"');
  const found: unknown[] = [];
  for (const byte of bytes) found.push(...lines.push(Uint8Array.of(byte)));
  expect(found).toEqual([{ a: "ä€" }, { b: 2 }]);
  expect(() => lines.push(Buffer.alloc(1_001, "x"))).toThrow("1000 bytes");
});

test("control messages survive the wire, and unknown ones are ignored", () => {
  const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
  const hello = { t: "hello", epoch: "e", boot: "b", version: "1" } as const;
  expect(decodeToHost(parse(encodeCtl(hello)))).toEqual(hello);
  expect(decodeToGuest(parse(encodeCtl({ t: "settime", unixMs: 5 })))).toEqual({ t: "settime", unixMs: 5 });
  for (const line of [{ t: "dance" }, { t: "ping" }, { t: "settime", unixMs: "5" }, {}]) expect(decodeToGuest(line)).toBeUndefined();
  for (const line of [{ t: "hello" }, { t: "pong", seq: 1 }, { t: "bye" }]) expect(decodeToHost(line)).toBeUndefined();
});

test("usage is what is not available, and what is not idle", () => {
  const stat = "cpu  10 0 5 160 10 1 4 0 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 7\n";
  const usage = parseUsage("MemTotal:       2000 kB\nMemFree: 100 kB\nMemAvailable:    500 kB\n", stat, "1.00 1.60\n");
  // Two processors for a second, of which the kernel saw only twenty ticks of work.
  expect(usage).toEqual({ memoryBytes: 1500 * 1024, memoryTotalBytes: 2000 * 1024, cpuBusyTicks: 30, cpuTotalTicks: 200 });
});
