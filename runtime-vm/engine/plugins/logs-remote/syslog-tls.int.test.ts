import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogMessage } from "./copier.ts";
import { syslog } from "./syslog.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-tls-"));
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const args = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "key.pem",
    "-out",
    "cert.pem",
    "-days",
    "2",
    ...name,
  ];
  execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const subject = { id: "1".repeat(64), name: "box", imageId: "", imageName: "", createdAt: "", command: [], env: [], labels: {} };
const world = {
  hostPrefix: "/",
  kernel: {
    connectDatagram: (): never => {
      throw new Error("no datagrams here");
    },
  },
};
const message: LogMessage = { stream: "stdout", line: Buffer.from("hi"), at: 1_767_323_045_000_000_000n };

test("over TLS the receiver is verified by the given authority, and RFC 5424 messages have their length before them", async () => {
  let seen = "";
  const server = createServer({ cert: readFileSync(join(dir, "cert.pem")), key: readFileSync(join(dir, "key.pem")) }, (socket) => {
    socket.on("data", (bytes) => (seen += String(bytes))).on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const options = { "syslog-address": `tcp+tls://127.0.0.1:${(server.address() as AddressInfo).port}`, "syslog-format": "rfc5424", tag: "mine" };
  await expect(syslog(subject, options, world).transport.connect()).rejects.toThrow("self-signed certificate");
  await syslog(subject, { ...options, "syslog-tls-skip-verify": "true" }, world).transport.connect();
  const { transport, encode } = syslog(subject, { ...options, "syslog-tls-ca-cert": join(dir, "cert.pem") }, world);
  await transport.connect();
  await transport.deliver([encode(message) as Buffer], new AbortController().signal);
  await expect.poll(() => seen).toMatch(/^\d+ <30>1 2026-01-02T03:04:05Z \S+ mine \d+ mine - hi\n$/);
  expect(Number(seen.split(" ")[0])).toBe(Buffer.byteLength(seen.slice(seen.indexOf(" ") + 1)));
  await transport[Symbol.asyncDispose]();
  server.close();
});
