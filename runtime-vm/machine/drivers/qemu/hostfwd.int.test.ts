import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emulator } from "./command.ts";
import { HostForwards } from "./hostfwd.ts";
import { connectPort } from "./process.ts";
import { Qmp } from "./qmp.ts";

// A QEMU with the network card of a guest, and no guest in it.

let directory: string;
let qemu: ReturnType<typeof spawn>;
let qmp: Qmp;
let forwards: HostForwards;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "slipway-hostfwd-"));
  const monitor = join(directory, "qmp.sock");
  const [arch, board] = process.arch === "arm64" ? (["arm64", "virt"] as const) : (["amd64", "q35"] as const);
  const args = ["-M", board, "-nodefaults", "-display", "none", "-S", "-netdev", "user,id=net", "-device", "virtio-net-pci,romfile=,netdev=net"];
  const port = ["-chardev", `socket,id=qmp,path=${monitor},server=on,wait=off`, "-mon", "chardev=qmp,mode=control"];
  qemu = spawn(emulator(arch, process.platform), [...args, ...port], { stdio: "inherit" });
  const signal = AbortSignal.timeout(30_000);
  qmp = await Qmp.connect(await connectPort(monitor, signal), signal);
  forwards = new HostForwards(qmp, qemu.pid ?? 0);
}, 60_000);
afterEach(async () => {
  qmp.close();
  await end();
  rmSync(directory, { recursive: true, force: true });
});

async function end(): Promise<void> {
  if (qemu.signalCode !== null) return;
  const ended = once(qemu, "exit");
  qemu.kill("SIGKILL");
  await ended;
}

const asked = (more: { hostIp?: string; hostPort?: number; proto?: "tcp" | "udp" } = {}) => ({
  proto: "tcp" as const,
  hostIp: "127.0.0.1",
  hostPort: 0,
  ...more,
});

async function connected(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host });
  await once(socket, "connect");
  return socket;
}

test("QEMU takes connections at the port asked for, for as long as it is wanted, many at once", async () => {
  const listener = await forwards.add(asked(), 80);
  const port = listener?.port ?? 0;
  expect(execFileSync("ss", ["-Hltn", `sport = :${port}`], { encoding: "utf8" })).toMatch(/^LISTEN\s+0\s+1024\s+127\.0\.0\.1:/);
  // It reads nothing while its guest stands still: all of these wait in the queue of the port.
  const many = await Promise.all(Array.from({ length: 100 }, () => connected(port)));
  await expect(connected(port, "127.0.0.2")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  for (const socket of many) socket.destroy();
  await listener?.[Symbol.asyncDispose]();
  await expect(connected(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("every IPv4 address is one port, and a port asked for again is had again", async () => {
  for (let round = 0; round < 2; round += 1) {
    const listener = await forwards.add(asked({ hostIp: "" }), 80);
    const socket = await connected(listener?.port ?? 0, "127.0.0.2");
    expect(socket.remoteAddress).toBe("127.0.0.2");
    socket.destroy();
    await listener?.[Symbol.asyncDispose]();
  }
});

test("a port that is taken names who has it, one of another computer's address why it cannot be had", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  await expect(forwards.add(asked({ hostPort: port }), 80)).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringMatching(`^address already in use by .+ \\(process ${process.pid}\\)$`) as string,
  });
  holder.close();
  await expect(forwards.add(asked({ hostIp: "192.0.2.7" }), 80)).rejects.toMatchObject({ class: "invalidArgument" });
  await using own = await forwards.add(asked(), 80);
  await expect(forwards.add(asked({ hostPort: own?.port ?? 0 }), 81)).rejects.toMatchObject({
    message: expect.stringContaining(`(process ${qemu.pid})`) as string,
  });
});

test("datagrams and IPv6 are not QEMU's to carry, and a QEMU that has ended leaves nothing to remove", async () => {
  expect(await forwards.add(asked({ proto: "udp" }), 53)).toBeUndefined();
  expect(await forwards.add(asked({ hostIp: "::1" }), 80)).toBeUndefined();
  const listener = await forwards.add(asked(), 80);
  const before = readdirSync("/proc/self/fd").length;
  await using _more = await forwards.add(asked(), 81);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  await end();
  await listener?.[Symbol.asyncDispose]();
});
