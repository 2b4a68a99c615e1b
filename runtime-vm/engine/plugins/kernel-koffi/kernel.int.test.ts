import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KernelError, MNT, MS } from "#core/kernel/kernel.ts";
import { createKernel } from "./kernel.ts";
import { c, check } from "./libc.ts";
import { unixAddress } from "./sockaddr.ts";

const kernel = createKernel();
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-kernel-"));
  kernel.mount({ source: "tmpfs", target: dir, type: "tmpfs", data: "mode=755" });
});
afterEach(() => {
  for (const path of kernel.mountsUnder(dir)) kernel.umount(path, MNT.DETACH);
  rmSync(dir, { recursive: true, force: true });
});

const make = (...parts: string[]): string => {
  const path = join(dir, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
};

test("a failure names the call, its object and errno", () => {
  expect(() => kernel.mount({ source: "none", target: join(dir, "absent"), type: "tmpfs" })).toThrow(
    expect.objectContaining({ name: "KernelError", code: "ENOENT", message: expect.stringContaining(join(dir, "absent")) }),
  );
  expect(() => kernel.umount(make("plain"))).toThrow(expect.objectContaining({ code: "EINVAL" }));
});

test("mounts below a prefix are listed deepest first, names with spaces included", () => {
  const outer = make("a b");
  kernel.mount({ source: "tmpfs", target: outer, type: "tmpfs" });
  const inner = make("a b", "in:ner");
  kernel.mount({ source: outer, target: inner, flags: MS.BIND });
  expect(kernel.mountsUnder(outer)).toEqual([inner, outer]);
  expect(kernel.isMountPoint(inner)).toBe(true);
  kernel.umount(inner);
  expect(kernel.isMountPoint(inner)).toBe(false);
});

test("an overlay merges layers whose names hold commas, colons and backslashes", () => {
  const lower = [make("l,1"), make("l:2"), make("l\\3")];
  for (const [i, layer] of lower.entries()) writeFileSync(join(layer, `f${i}`), String(i));
  const target = make("merged");
  kernel.mountOverlay({ target, lower, upper: make("up,per"), work: make("work") });
  expect([0, 1, 2].map((i) => readFileSync(join(target, `f${i}`), "utf8"))).toEqual(["0", "1", "2"]);
  writeFileSync(join(target, "new"), "n");
  expect(existsSync(join(dir, "up,per", "new"))).toBe(true);
});

test("an overlay of more layers than a page of options can name shows the first and the last", () => {
  const lower = Array.from({ length: 150 }, (_, i) => make("layers", `${String(i).padStart(3, "0")}-${"x".repeat(60)}`));
  writeFileSync(join(lower[0] ?? "", "top"), "");
  writeFileSync(join(lower.at(-1) ?? "", "bottom"), "");
  const target = make("merged");
  kernel.mountOverlay({ target, lower, upper: make("upper"), work: make("work") });
  expect(existsSync(join(target, "top")) && existsSync(join(target, "bottom"))).toBe(true);
});

test.each([1, 150])("an overlay of %i layers that is volatile says so, and is written through all the same", (layers) => {
  const lower = Array.from({ length: layers }, (_, i) => make("volatile", `${String(i).padStart(3, "0")}-${"x".repeat(60)}`));
  const target = make("merged");
  const upper = make("upper");
  kernel.mountOverlay({ target, lower, upper, work: make("work"), volatile: true });
  const line = readFileSync("/proc/thread-self/mountinfo")
    .toString()
    .split("\n")
    .find((one) => one.split(" ")[4] === target);
  expect(line).toMatch(/[,=]volatile$/);
  writeFileSync(join(target, "new"), "n");
  kernel.umount(target);
  expect(readFileSync(join(upper, "new"), "utf8")).toBe("n");
});

test("a FIFO has the mode asked for", () => {
  kernel.mkfifo(join(dir, "fifo"), 0o600);
  const stat = statSync(join(dir, "fifo"));
  expect([stat.isFIFO(), stat.mode & 0o777]).toEqual([true, 0o600]);
});

test("paths are resolved inside the root: absolute links and .. stay in it", () => {
  const root = make("root");
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc", "passwd"), "inside");
  symlinkSync("/etc/passwd", join(root, "absolute"));
  symlinkSync("../../../../etc/passwd", join(root, "upwards"));
  for (const path of ["absolute", "upwards", "/etc/passwd", "../../etc/passwd"]) {
    const fd = kernel.openInRoot(root, path, constants.O_RDONLY);
    expect(readFileSync(fd, "utf8")).toBe("inside");
    closeSync(fd);
  }
  expect(() => kernel.openInRoot(root, "etc/shadow", constants.O_RDONLY)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  const made = kernel.openInRoot(root, "etc/new", constants.O_WRONLY | constants.O_CREAT, 0o640);
  closeSync(made);
  expect(existsSync(join(root, "etc/new"))).toBe(true);
});

test("extended attributes come back byte for byte, on links too", () => {
  const path = join(dir, "file");
  writeFileSync(path, "");
  symlinkSync("nowhere", join(dir, "link"));
  const value = Buffer.from([1, 0, 2, 255]);
  kernel.setxattr(path, "trusted.one", value);
  kernel.setxattr(path, "trusted.empty", Buffer.alloc(0));
  kernel.setxattr(join(dir, "link"), "trusted.link", value);
  expect(kernel.getxattrs(path)).toEqual(
    new Map([
      ["trusted.one", value],
      ["trusted.empty", Buffer.alloc(0)],
    ]),
  );
  expect(kernel.getxattrs(join(dir, "link")).get("trusted.link")).toEqual(value);
});

test.skipIf(!existsSync("/dev/loop-control"))("a loop device shows the file's bytes and goes when closed", () => {
  const path = join(dir, "disk");
  writeFileSync(path, "hello");
  truncateSync(path, 1024 * 1024);
  const { device, fd } = kernel.loop(path, true);
  expect(readFileSync(device).subarray(0, 5).toString()).toBe("hello");
  closeSync(fd);
  const backing = `/sys/block/${device.slice("/dev/".length)}/loop/backing_file`;
  expect(existsSync(backing)).toBe(false);
});

test("a network namespace has lo up, is entered and left, and goes with its file", () => {
  const path = join(dir, "ns");
  const own = readlinkSync("/proc/thread-self/ns/net");
  kernel.createNetns(path);
  expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
  const inside = kernel.inNetns(path, () => {
    expect(execFileSync("ip", ["-br", "addr", "show", "lo"], { encoding: "utf8" })).toContain("127.0.0.1/8");
    return readlinkSync("/proc/thread-self/ns/net");
  });
  expect(inside).not.toBe(own);
  expect(() => kernel.inNetns(path, () => expect.fail("thrown inside"))).toThrow("thrown inside");
  expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
  expect(() => kernel.createNetns(path)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  kernel.removeNetns(path);
  expect(existsSync(path)).toBe(false);
  kernel.removeNetns(path);
});

test("sockets bound inside a namespace serve it from outside", async () => {
  const path = join(dir, "ns");
  kernel.createNetns(path);
  const { tcp, udp } = kernel.inNetns(path, () => ({
    tcp: kernel.boundSocket({ kind: "tcp", address: "127.0.0.1", port: 0 }),
    udp: kernel.boundSocket({ kind: "udp", address: "127.0.0.1", port: 5353 }),
  }));
  expect(udp.port).toBe(5353);
  const server = createServer((socket) => socket.end("tcp ok")).listen({ fd: tcp.fd });
  await new Promise((resolve) => server.once("listening", resolve));
  expect((server.address() as AddressInfo).port).toBe(tcp.port);
  const socket = createSocket("udp4");
  const heard = new Promise<string>((resolve) => socket.once("message", (message) => resolve(message.toString())));
  socket.bind({ fd: udp.fd });
  kernel.inNetns(path, () => execFileSync("bash", ["-c", "echo -n hi > /dev/udp/127.0.0.1/5353"]));
  expect(await heard).toBe("hi");
  expect(() => kernel.inNetns(path, () => kernel.boundSocket({ kind: "tcp", address: "127.0.0.1", port: tcp.port }))).toThrow(
    expect.objectContaining({ code: "EADDRINUSE" }),
  );
  socket.close();
  server.close();
});

test("rtnetlink answers a dump and explains a refusal", () => {
  const path = join(dir, "ns");
  kernel.createNetns(path);
  using link = kernel.rtnetlink(path);
  const RTM = { NEWLINK: 16, GETLINK: 18 };
  const links = link.request(RTM.GETLINK, 0x300, Buffer.alloc(16));
  expect(links.some((body) => Buffer.from(body).includes("lo\0"))).toBe(true);
  expect(() => link.request(RTM.NEWLINK, 0, Buffer.alloc(16))).toThrow(KernelError);
});

test("an nft batch runs with more descriptors open than select(2) can name", () => {
  const many = Array.from({ length: 1_500 }, () => openSync("/dev/null", "r"));
  try {
    kernel.nft("add table inet many");
    expect(kernel.nft("list tables")).toContain("table inet many");
    kernel.nft("delete table inet many");
  } finally {
    for (const fd of many) closeSync(fd);
  }
});

test("an nft batch is all or nothing and tells nft's own words", () => {
  const path = join(dir, "ns");
  kernel.createNetns(path);
  kernel.inNetns(path, () => {
    expect(() => kernel.nft("add table inet one\nadd rule inet absent input accept\n")).toThrow(
      expect.objectContaining({ code: "ENOENT", message: expect.stringContaining("Could not process rule") }),
    );
    expect(kernel.nft("list tables")).toBe("");
    kernel.nft("add table inet one");
    expect(kernel.nft("list tables")).toContain("table inet one");
  });
  expect(kernel.nft("list tables")).not.toContain("table inet one");
});

test("kill reports a process that is gone and refuses group ids", () => {
  expect(() => kernel.kill(0, 0)).toThrow("not a process id");
  expect(() => kernel.kill(2 ** 30, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }));
  kernel.kill(process.pid, 0);
  expect(kernel.hardLimit("nofile")).toBeGreaterThan(0);
  expect(() => kernel.hardLimit("nonsense")).toThrow("no such resource limit");
});

test("poll resolves with revents, with 0 at its timeout, and rejects when aborted", async () => {
  const path = join(dir, "fifo");
  kernel.mkfifo(path, 0o600);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const [POLLIN, POLLOUT, POLLHUP] = [1, 4, 16];
  expect(await kernel.poll(reader, POLLIN, 1)).toBe(0);
  expect(await kernel.poll(writer, POLLOUT, 60_000)).toBe(POLLOUT);
  const both = Promise.all([kernel.poll(reader, POLLIN, 60_000), kernel.poll(reader, POLLIN, 60_000)]);
  writeSync(writer, "x");
  expect(await both).toEqual([POLLIN, POLLIN]);
  // Nobody read the byte: it is still ready.
  expect(await kernel.poll(reader, POLLIN, 60_000)).toBe(POLLIN);
  const abort = new AbortController();
  const waiting = kernel.poll(writer, 0, 60_000, abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  closeSync(writer);
  expect((await kernel.poll(reader, POLLIN, 60_000)) & POLLHUP).toBe(POLLHUP);
  closeSync(reader);
});

test("program text that is unmapped comes back by itself", () => {
  const resident = (): number => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync("/proc/self/status").toString("latin1"))?.[1]);
  const before = resident();
  kernel.unmapPrograms();
  expect(resident()).toBeLessThan(before / 2);
  expect(createServer().listening).toBe(false);
});

test("a unix datagram socket sends message by message, and says when nobody is there", () => {
  const path = join(dir, "log");
  const [unix, datagram] = [1, 2];
  const receiver = check(c.socket(unix, datagram, 0), "socket", path);
  const name = unixAddress(path);
  check(c.bind(receiver, name, name.length), "bind", path);
  using sender = kernel.connectDatagram(path);
  for (const text of ["one", "two"]) sender.send(Buffer.from(text));
  const into = Buffer.alloc(100);
  for (const text of ["one", "two"]) expect(into.toString("latin1", 0, c.recv(receiver, into, into.length, 0))).toBe(text);
  closeSync(receiver);
  expect(() => sender.send(Buffer.from("x"))).toThrow(expect.objectContaining({ code: "ECONNREFUSED" }));
  expect(() => kernel.connectDatagram(join(dir, "nobody"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => kernel.connectDatagram("/x".repeat(60))).toThrow("longer than a unix socket's path may be");
});

test("a pipe holds as much as it is told to", () => {
  const path = join(dir, "wide");
  kernel.mkfifo(path, 0o600);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  kernel.setPipeSize(fd, 1024 * 1024);
  expect(writeSync(fd, Buffer.alloc(1024 * 1024))).toBe(1024 * 1024);
  expect(() => writeSync(fd, "x")).toThrow("EAGAIN");
  closeSync(fd);
});

test("bytes are copied into memory that threads share, and nowhere else", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  kernel.copy(shared, 2, Buffer.from("abcd"));
  kernel.copy(shared, 8, Buffer.alloc(0));
  expect(Buffer.from(shared).toString("latin1")).toBe("\0\0abcd\0\0");
  for (const at of [5, -1, Number.NaN]) expect(() => kernel.copy(shared, at, Buffer.from("abcd"))).toThrow(RangeError);
});

test("what a pipe holds is moved to a file, whose front can be given back", () => {
  const path = join(dir, "pipe");
  kernel.mkfifo(path, 0o600);
  const pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const file = openSync(join(dir, "file"), constants.O_RDWR | constants.O_CREAT);
  expect(kernel.spliceToFile(pipe, file, 0, 100)).toBeUndefined();
  writeSync(writer, "0123456789");
  expect(kernel.spliceToFile(pipe, file, 8192, 6)).toBe(6);
  expect(kernel.spliceToFile(pipe, file, 8198, 100)).toBe(4);
  closeSync(writer);
  expect(kernel.spliceToFile(pipe, file, 8202, 100)).toBe(0);
  expect(readFileSync(join(dir, "file"), "latin1")).toBe(`${"\0".repeat(8192)}0123456789`);
  writeSync(file, Buffer.alloc(8192, 1), 0, 8192, 0);
  expect(statSync(join(dir, "file")).blocks).toBe(24);
  kernel.punchHole(file, 0, 8192);
  expect(statSync(join(dir, "file"))).toMatchObject({ blocks: 8, size: 8202 });
  for (const fd of [pipe, file]) closeSync(fd);
  expect(() => kernel.spliceToFile(pipe, file, 0, 1)).toThrow(expect.objectContaining({ code: "EBADF" }));
});
