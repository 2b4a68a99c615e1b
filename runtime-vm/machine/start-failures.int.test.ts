import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { QemuMachine, type QemuOptions } from "./drivers/qemu/qemu.ts";
import { claimRoot } from "./owner.ts";
import { imagePaths, machinePaths } from "./names.ts";

/** Machines of real QEMUs that cannot start, each broken in another way. What needs more than a kernel's boot to break is in why/explain.test.ts. */
const arch = process.arch === "arm64" ? "arm64" : "amd64";
const image = imagePaths(join(import.meta.dirname, "../image/out", arch));
const path = process.env["PATH"];
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-start-"));
});
afterEach(async () => {
  process.env["PATH"] = path;
  await rm(join(root, "machine"), { recursive: true, force: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const options = (change: Partial<QemuOptions>): QemuOptions => ({
  root: join(root, "machine"),
  image,
  arch,
  platform: process.platform,
  accelerator: "tcg",
  memoryMiB: 512,
  cpus: 1,
  diskBytes: 2 ** 30,
  folders: [],
  debug: false,
  log: () => {},
  ...change,
});

/** What a machine with `change` is shown with once it has failed to start. */
async function failureOf(change: Partial<QemuOptions> = {}) {
  await using machine = new QemuMachine(options(change));
  await expect(machine.start({ signal: new AbortController().signal })).rejects.toThrow();
  expect(machine.status.phase).toBe("failed");
  const { Rule, Verdict, Fix } = machine.status.error?.why ?? {};
  return { rule: Rule, says: `${Verdict} ${Fix}` };
}

async function broken(part: keyof typeof image, spoil: (file: string) => Promise<void>): Promise<typeof image> {
  const copy = join(root, `spoilt-${part}`);
  await copyFile(image[part], copy);
  await spoil(copy);
  return { ...image, [part]: copy };
}

test("QEMU is not installed", async () => {
  process.env["PATH"] = join(root, "nothing");
  expect(await failureOf()).toMatchObject({ rule: "qemu-missing", says: expect.stringMatching(/qemu-system.*not installed.*apt install/) as string });
});

test.skipIf(existsSync("/dev/kvm"))("there is no KVM, which was asked for", async () => {
  expect(await failureOf({ accelerator: "kvm" })).toMatchObject({
    rule: "kvm-missing",
    says: expect.stringMatching(/no \/dev\/kvm.*software emulation/) as string,
  });
});

test("an accelerator of another system was asked for", async () => {
  expect(await failureOf({ accelerator: process.platform === "darwin" ? "kvm" : "hvf" })).toMatchObject({ rule: "accelerator-unusable" });
});

test("there is not that much memory", async () => {
  expect(await failureOf({ memoryMiB: 900_000_000 })).toMatchObject({ rule: "memory", says: expect.stringContaining("900000000 MiB") as string });
});

test("no machine has so many processors", async () => {
  expect(await failureOf({ cpus: 9_999 })).toMatchObject({ rule: "processors", says: expect.stringContaining("9999 processors") as string });
});

test("a file of the image is missing", async () => {
  expect(await failureOf({ image: { ...image, initrd: join(root, "no-initrd") } })).toMatchObject({
    rule: "image-missing",
    says: expect.stringMatching(/no-initrd is missing.*npm run image/) as string,
  });
});

test("the image's kernel is damaged", async () => {
  expect(await failureOf({ image: await broken("kernel", (file) => writeFile(file, Buffer.alloc(100_000, 7))) })).toMatchObject({ rule: "image-damaged" });
});

test("the image's first programs are damaged: the kernel panics", async () => {
  const spoilt = await broken("initrd", (file) => writeFile(file, Buffer.alloc(100_000, 7)));
  expect(await failureOf({ image: spoilt })).toMatchObject({ rule: "image-damaged", says: expect.stringContaining("Linux starts") as string });
});

test("the image's root file system is damaged", async () => {
  const spoilt = await broken("root", (file) => truncate(file, 0).then(() => truncate(file, 2 ** 20)));
  expect(await failureOf({ image: spoilt })).toMatchObject({ rule: "image-damaged", says: expect.stringContaining("does not mount") as string });
});

test("another QEMU has the data disk", async () => {
  const { disk, root: folder } = machinePaths(options({}).root);
  await mkdir(folder, { recursive: true });
  await writeFile(disk, "");
  await truncate(disk, 2 ** 30);
  const program = arch === "amd64" ? "qemu-system-x86_64" : "qemu-system-aarch64";
  const other = spawn(
    program,
    ["-M", arch === "amd64" ? "q35" : "virt", "-S", "-display", "none", "-nodefaults", "-monitor", "stdio"].concat([
      "-drive",
      `if=none,id=d,file=${disk},format=raw`,
      "-device",
      "virtio-blk-pci,drive=d",
    ]),
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  try {
    await new Promise((resolve) => other.stdout.once("data", resolve)); // Its monitor's greeting: the disk is open.
    expect(await failureOf()).toMatchObject({ rule: "disk-locked", says: expect.stringContaining("data.raw") as string });
  } finally {
    other.kill("SIGKILL");
  }
});

test("another Slipway runs the machine", async () => {
  await using _other = await claimRoot(machinePaths(options({}).root));
  expect(await failureOf()).toMatchObject({ rule: "machine-running" });
});

test("the data disk cannot be made", async () => {
  expect(await failureOf({ diskBytes: 2 ** 50 })).toMatchObject({ rule: "disk-full" });
});

test("daemon.json is no JSON", async () => {
  const file = join(root, "daemon.json");
  await writeFile(file, "{");
  expect(await failureOf({ daemonFile: { path: file, required: false } })).toMatchObject({
    rule: "config-broken",
    says: expect.stringContaining(file) as string,
  });
});

test("what is on the data disk is somebody else's", async () => {
  const { disk, root: folder } = machinePaths(options({}).root);
  await mkdir(folder, { recursive: true });
  await writeFile(disk, Buffer.alloc(4096, "not yours "));
  await truncate(disk, 64 * 2 ** 20);
  expect(await failureOf({ diskBytes: 64 * 2 ** 20 })).toMatchObject({ rule: "disk-foreign", says: expect.stringContaining("left alone") as string });
});
