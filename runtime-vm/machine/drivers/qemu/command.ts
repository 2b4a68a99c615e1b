import { boot, formatShare } from "#link/boot.ts";
import type { SharedFolder } from "#machine/files.ts";
import type { ImagePaths } from "#machine/names.ts";

export type Accelerator = "kvm" | "hvf" | "whpx" | "tcg";
export type GuestArch = "amd64" | "arm64";

/** What the guest is made of; everything a command line needs and nothing that must be found out. */
export interface GuestPlan {
  readonly arch: GuestArch;
  readonly platform: NodeJS.Platform;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly image: ImagePaths;
  readonly disk: string;
  /** Unix sockets; on Windows names of pipes without their `\\.\pipe\`. */
  readonly qmp: string;
  readonly link: string;
  readonly ctl: string;
  readonly shares: readonly (SharedFolder & { readonly socket?: string })[];
  /** Everything in the shares belongs to one user here: the guest keeps who owns it there. */
  readonly keepOwners: boolean;
  readonly debug: boolean;
  /** A daemon.json for the engine, handed over at boot. */
  readonly daemonConfig?: string;
}

export const emulator = (arch: GuestArch, platform: NodeJS.Platform): string =>
  `qemu-system-${arch === "amd64" ? "x86_64" : "aarch64"}${platform === "win32" ? ".exe" : ""}`;

/** QEMU's arguments. A machine with nothing but virtio devices; its console is this process's stdout. */
export function qemuArguments(plan: GuestPlan): string[] {
  return [
    ...["-name", "slipway", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...machine(plan),
    ...["-smp", String(plan.cpus), "-m", String(plan.memoryMiB)],
    ...["-kernel", plan.image.kernel, "-initrd", plan.image.initrd, "-append", kernelCommandLine(plan)],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", chardev("qmp", plan.qmp, plan.platform), "-mon", "chardev=qmp,mode=control"],
    ...disk("root", plan.image.root, "readonly=on"),
    ...disk("data", plan.disk, "cache=writeback,discard=unmap,detect-zeroes=unmap"),
    ...["-netdev", "user,id=net", "-device", "virtio-net-pci,romfile=,netdev=net"],
    ...["-device", "virtio-serial-pci", ...port(boot.ports.link, plan.link, plan.platform), ...port(boot.ports.ctl, plan.ctl, plan.platform)],
    ...["-device", "virtio-rng-pci", "-device", "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"],
    ...shares(plan),
    ...(plan.daemonConfig === undefined ? [] : ["-fw_cfg", `name=${boot.configFile},file=${escape(plan.daemonConfig)}`]),
  ];
}

function machine({ arch, accelerator, memoryMiB, shares: folders }: GuestPlan): string[] {
  // virtiofsd reads the guest's memory, so it must be a file that can be shared.
  const shared = folders.some((folder) => folder.type === "virtiofs");
  const memory = shared ? ["-object", `memory-backend-memfd,id=mem,size=${memoryMiB}M,share=on`] : [];
  const backend = shared ? ",memory-backend=mem" : "";
  const board = arch === "amd64" ? "q35" : "virt,gic-version=max";
  return [...memory, "-M", board + backend, "-accel", acceleratorOption(accelerator), "-cpu", cpu(arch, accelerator)];
}

export function acceleratorOption(accelerator: Accelerator): string {
  switch (accelerator) {
    case "tcg":
      return "tcg,thread=multi";
    case "whpx":
      // Windows' own interrupt controller emulation loses interrupts of virtio-serial.
      return "whpx,kernel-irqchip=off";
    case "kvm":
    case "hvf":
      return accelerator;
  }
}

/** `host` where the hypervisor passes it through; elsewhere the least processor that Node runs on. */
export function cpu(arch: GuestArch, accelerator: Accelerator): string {
  if (accelerator === "kvm" || accelerator === "hvf") return "host";
  return arch === "amd64" ? "Nehalem" : "cortex-a72";
}

function kernelCommandLine({ arch, accelerator, shares: folders, keepOwners, debug, daemonConfig }: GuestPlan): string {
  const console = arch === "amd64" ? "ttyS0" : "ttyAMA0";
  // An emulated processor does not speculate, and switching page tables at every system call costs it most of its time.
  // Linux rewrites its own running code while it starts; two emulated processors do not always see that in one piece, and such
  // a boot ends in a panic in sched_clock_cpu. The guest switches the others on as soon as that is over. It would do it once more when
  // it found its clock, which is the same for all processors, to be late on a busy computer: it is not to look.
  const emulated = accelerator === "tcg" ? [boot.emulatedKey, "mitigations=off", ...(arch === "amd64" ? ["maxcpus=1", "tsc=reliable"] : [])] : [];
  const keys = [...(debug ? [boot.debugKey] : []), ...(daemonConfig === undefined ? [] : [boot.configKey]), ...(keepOwners ? [boot.ownersKey] : [])];
  return [`console=${console}`, "quiet", "panic=-1", ...emulated, ...folders.map(formatShare), ...keys].join(" ");
}

/** A server socket of QEMU's that clients may leave and join; Windows' pipes take one client a boot. */
function chardev(id: string, path: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? `pipe,id=${id},path=${escape(path)}` : `socket,id=${id},path=${escape(path)},server=on,wait=off`;
}

const port = (name: string, path: string, platform: NodeJS.Platform): string[] => [
  ...["-chardev", chardev(name, path, platform)],
  ...["-device", `virtserialport,chardev=${name},name=${name}`],
];

const disk = (name: "root" | "data", file: string, options: string): string[] => [
  ...["-drive", `if=none,id=${name},file=${escape(file)},format=raw,${options}`],
  ...["-device", `virtio-blk-pci,drive=${name},serial=${boot.disks[name]}`],
];

function shares({ shares: folders }: GuestPlan): string[] {
  return folders.flatMap(({ tag, type, hostPath, socket }) =>
    type === "virtiofs"
      ? ["-chardev", `socket,id=${tag},path=${escape(socket ?? "")}`, "-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag}`]
      : ["-fsdev", `local,id=${tag},path=${escape(hostPath)},security_model=none,multidevs=remap`, "-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  );
}

/** A comma ends an option unless it is doubled. */
const escape = (value: string): string => value.replaceAll(",", ",,");
