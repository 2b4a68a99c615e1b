import { expect, test } from "vitest";
import { probeArguments } from "./accelerator.ts";
import { type Accelerator, emulator, type GuestPlan, qemuArguments } from "./command.ts";

const plan: GuestPlan = {
  arch: "amd64",
  platform: "linux",
  accelerator: "kvm",
  memoryMiB: 2048,
  cpus: 2,
  image: { kernel: "/i/vmlinuz", initrd: "/i/initrd", root: "/i/root.img" },
  disk: "/r/data.raw",
  qmp: "/r/run/qmp.sock",
  link: "/r/run/h2.sock",
  ctl: "/r/run/ctl.sock",
  shares: [],
  keepOwners: false,
  debug: false,
};

/** The values an option has, in order. */
const valuesOf = (args: readonly string[], option: string): (string | undefined)[] => args.flatMap((arg, i) => (arg === option ? [args[i + 1]] : []));
const build = (change: Partial<GuestPlan>): string[] => qemuArguments({ ...plan, ...change });

test.each<[Accelerator, GuestPlan["arch"], NodeJS.Platform, string, string, string]>([
  ["kvm", "amd64", "linux", "q35", "kvm", "host"],
  ["kvm", "arm64", "linux", "virt,gic-version=max", "kvm", "host"],
  ["hvf", "amd64", "darwin", "q35", "hvf", "host"],
  ["hvf", "arm64", "darwin", "virt,gic-version=max", "hvf", "host"],
  ["whpx", "amd64", "win32", "q35", "whpx,kernel-irqchip=off", "Nehalem"],
  ["tcg", "amd64", "linux", "q35", "tcg,thread=multi", "Nehalem"],
  ["tcg", "arm64", "linux", "virt,gic-version=max", "tcg,thread=multi", "cortex-a72"],
])("%s for %s on %s", (accelerator, arch, platform, board, accel, cpu) => {
  const args = build({ accelerator, arch, platform });
  expect(valuesOf(args, "-M")).toEqual([board]);
  expect(valuesOf(args, "-accel")).toEqual([accel]);
  expect(valuesOf(args, "-cpu")).toEqual([cpu]);
  expect(valuesOf(probeArguments(accelerator, arch, "/f"), "-accel")).toEqual([accel]);
});

test("a daemon.json is handed over as a firmware file, and the guest is told to look for it", () => {
  const args = build({ daemonConfig: "/r,1/daemon.json" });
  expect(valuesOf(args, "-fw_cfg")).toEqual(["name=opt/slipway/daemon.json,file=/r,,1/daemon.json"]);
  expect(valuesOf(args, "-append")).toEqual([expect.stringContaining(" slipway.config") as string]);
  expect(build({})).not.toContain("-fw_cfg");
});

test("the emulator is the architecture's, and ends in .exe on Windows only", () => {
  expect([emulator("amd64", "linux"), emulator("arm64", "darwin"), emulator("amd64", "win32")]).toEqual([
    "qemu-system-x86_64",
    "qemu-system-aarch64",
    "qemu-system-x86_64.exe",
  ]);
});

test("the guest's console is the serial port of its board, and only an emulated one starts on one processor and drops its mitigations", () => {
  expect(valuesOf(build({}), "-append")).toEqual(["console=ttyS0 quiet panic=-1"]);
  expect(valuesOf(build({ arch: "arm64", accelerator: "hvf" }), "-append")).toEqual(["console=ttyAMA0 quiet panic=-1"]);
  expect(valuesOf(build({ accelerator: "tcg", debug: true }), "-append")).toEqual([
    "console=ttyS0 quiet panic=-1 slipway.emulated mitigations=off maxcpus=1 tsc=reliable slipway.debug",
  ]);
});

test("the root image cannot be written, the data disk gives space back, and each is known by its serial", () => {
  const args = build({});
  expect(valuesOf(args, "-drive")).toEqual([
    "if=none,id=root,file=/i/root.img,format=raw,readonly=on",
    "if=none,id=data,file=/r/data.raw,format=raw,cache=writeback,discard=unmap,detect-zeroes=unmap",
  ]);
  expect(valuesOf(args, "-device")).toEqual(
    expect.arrayContaining(["virtio-blk-pci,drive=root,serial=slipway-root", "virtio-blk-pci,drive=data,serial=slipway-data"]),
  );
});

test("a comma in a path does not end its option", () => {
  expect(valuesOf(build({ disk: "/a,b/data.raw" }), "-drive")[1]).toContain("file=/a,,b/data.raw,format=raw");
});

test("both ports and the monitor are unix sockets, on Windows pipes", () => {
  expect(valuesOf(build({}), "-chardev")).toEqual([
    "stdio,id=console,signal=off",
    "socket,id=qmp,path=/r/run/qmp.sock,server=on,wait=off",
    "socket,id=h2,path=/r/run/h2.sock,server=on,wait=off",
    "socket,id=ctl,path=/r/run/ctl.sock,server=on,wait=off",
  ]);
  const windows = build({ platform: "win32", accelerator: "whpx", qmp: "slipway-qmp", link: "slipway-h2", ctl: "slipway-ctl" });
  expect(valuesOf(windows, "-chardev").slice(1)).toEqual(["pipe,id=qmp,path=slipway-qmp", "pipe,id=h2,path=slipway-h2", "pipe,id=ctl,path=slipway-ctl"]);
});

test("a folder by virtiofs needs shared memory, one by 9p does not", () => {
  const folder = { tag: "share0", path: "/home/a b", hostPath: "/home/a b" };
  const virtiofs = build({ shares: [{ ...folder, type: "virtiofs", socket: "/r/run/fs.sock" }] });
  expect(valuesOf(virtiofs, "-object")).toEqual(["memory-backend-memfd,id=mem,size=2048M,share=on"]);
  expect(valuesOf(virtiofs, "-M")).toEqual(["q35,memory-backend=mem"]);
  expect(valuesOf(virtiofs, "-device")).toContain("vhost-user-fs-pci,chardev=share0,tag=share0");
  expect(valuesOf(virtiofs, "-append")[0]).toContain(" slipway.share=share0:virtiofs:/home/a%20b");
  const plan9 = build({ shares: [{ ...folder, type: "9p" }] });
  expect(valuesOf(plan9, "-object")).toEqual([]);
  expect(valuesOf(plan9, "-fsdev")).toEqual(["local,id=share0,path=/home/a b,security_model=none,multidevs=remap"]);
  expect(valuesOf(plan9, "-device")).toContain("virtio-9p-pci,fsdev=share0,mount_tag=share0");
});

test("the guest is told when it has to keep the owners of the folders' files itself", () => {
  expect(valuesOf(build({}), "-append")[0]).not.toContain("slipway.owners");
  expect(valuesOf(build({ keepOwners: true }), "-append")[0]).toMatch(/ slipway\.owners( |$)/);
});
