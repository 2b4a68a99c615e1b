/** Against Debian's etcd with certificates, in a network of the test's own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { c } from "#plugins/kernel-koffi/libc.ts";
import { Etcd, type WatchEvent } from "./etcd.ts";

const CLONE_NEWNET = 0x40000000;
const dir = mkdtempSync("/var/tmp/slipway-etcd-");
const url = "https://127.0.0.1:2379";
const read = (name: string): string => readFileSync(join(dir, name), "utf8");
const tls = () => ({ ca: read("ca.pem"), cert: read("client.pem"), key: read("client.key") });
let server: ChildProcess;

function certify(): void {
  const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { cwd: dir, stdio: ["ignore", "pipe", "ignore"] });
  const key = (name: string): string[] => `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -subj /CN=${name}`.split(" ");
  openssl(...key("ca"), "-x509", "-out", "ca.pem", "-days", "2");
  for (const name of ["server", "client"]) {
    openssl(...key(name), "-addext", "subjectAltName=IP:127.0.0.1", "-out", `${name}.csr`);
    openssl(..."x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copyall".split(" "), "-in", `${name}.csr`, "-out", `${name}.pem`);
  }
}

beforeAll(async () => {
  if (c.unshare(CLONE_NEWNET) !== 0) throw new Error("cannot make a network namespace: run as root");
  execFileSync("ip", ["link", "set", "lo", "up"]);
  certify();
  const client = "--cert-file server.pem --key-file server.key --client-cert-auth --trusted-ca-file ca.pem";
  const args = `--data-dir data --listen-client-urls ${url} --advertise-client-urls ${url} --listen-peer-urls http://127.0.0.1:2380 ${client}`;
  const env = { ...process.env, ...(process.arch === "arm64" ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {}) };
  server = spawn("etcd", args.split(" "), { cwd: dir, stdio: "ignore", env });
  using etcd = new Etcd({ urls: [url], tls: tls() });
  while (
    !(await etcd.get("/any").then(
      () => true,
      () => false,
    ))
  )
    await delay(100);
});

afterAll(async () => {
  const closed = once(server, "close");
  server.kill("SIGKILL");
  await closed;
  rmSync(dir, { recursive: true, force: true });
});

test("who has no certificate is not served, and who has one asks the next member when one is gone", async () => {
  using stranger = new Etcd({ urls: [url], tls: { ca: read("ca.pem"), cert: "", key: "" } });
  await expect(stranger.get("/a")).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining(`no etcd answers (${url}: `) as string });
  using etcd = new Etcd({ urls: ["https://127.0.0.1:1", url], tls: tls() });
  expect(await etcd.transact([{ missing: "/a" }], [{ put: "/a", value: "x" }])).toBe(true);
  expect(await etcd.transact([{ missing: "/a" }], [{ put: "/a", value: "y" }])).toBe(false);
  expect(await etcd.get("/a")).toMatchObject({ key: "/a", value: "x" });
});

test("a transaction holds only while what it was made of does", async () => {
  using etcd = new Etcd({ urls: [url], tls: tls() });
  await etcd.transact([], [{ put: "/t/1", value: "one" }]);
  const { revision = 0 } = (await etcd.get("/t/1")) ?? {};
  expect(await etcd.transact([{ missing: "/t/", below: true }], [{ put: "/t/2", value: "" }])).toBe(false);
  expect(await etcd.transact([{ key: "/t/1", value: "two" }], [{ put: "/t/2", value: "" }])).toBe(false);
  expect(await etcd.transact([{ key: "/t/1", revision }], [{ put: "/t/1", value: "ünï" }])).toBe(true);
  expect(await etcd.transact([{ key: "/t/1", revision }], [{ remove: "/t/1" }])).toBe(false);
  expect((await etcd.below("/t/")).entries).toEqual([expect.objectContaining({ key: "/t/1", value: "ünï" })]);
  expect(await etcd.transact([{ key: "/t/1", value: "ünï" }], [{ remove: "/t/", below: true }])).toBe(true);
  expect((await etcd.below("/t/")).entries).toEqual([]);
});

test("a watch tells what comes and goes, also when a lease ends by itself", async () => {
  using etcd = new Etcd({ urls: [url], tls: tls() });
  const { revision } = await etcd.below("/w/");
  const lease = await etcd.grant(2);
  expect(await etcd.keepAlive(lease)).toBe(true);
  await etcd.transact(
    [],
    [
      { put: "/w/kept", value: "1" },
      { put: "/w/leased", value: "2", lease },
    ],
  );
  const seen: WatchEvent[] = [];
  const stop = new AbortController();
  for await (const events of etcd.watch("/w/", revision + 1, stop.signal)) {
    seen.push(...events);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([
    { kind: "put", key: "/w/kept", value: "1" },
    { kind: "put", key: "/w/leased", value: "2" },
    { kind: "delete", key: "/w/leased", value: "" },
  ]);
  expect(await etcd.keepAlive(lease)).toBe(false);
});
