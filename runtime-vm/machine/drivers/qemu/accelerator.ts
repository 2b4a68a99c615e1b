import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Accelerator, acceleratorOption, cpu, emulator, type GuestArch } from "./command.ts";

const probeMs = 10_000;

/** The hypervisors QEMU can use on a platform, best first; never `tcg`, which always works. */
const candidates: Partial<Record<NodeJS.Platform, readonly Exclude<Accelerator, "tcg">[]>> = { linux: ["kvm"], darwin: ["hvf"], win32: ["whpx"] };

export interface Choice {
  readonly accelerator: Accelerator;
  /** Why not a better one, for people. */
  readonly notice?: string;
}

export interface AccelerationOptions {
  readonly accelerator: Accelerator | "auto";
  readonly arch: GuestArch;
  readonly platform: NodeJS.Platform;
}

/**
 * Finds the accelerator by really running a guest on it: a /dev/kvm that opens but cannot run one exists. Asking costs
 * well under a second where it works; a hypervisor that hangs is given up after ten.
 */
async function chooseAccelerator(arch: GuestArch, platform: NodeJS.Platform, signal: AbortSignal): Promise<Choice> {
  const failures: string[] = [];
  for (const accelerator of candidates[platform] ?? []) {
    const failure = await probe(accelerator, arch, platform, signal);
    if (failure === undefined) return { accelerator };
    failures.push(`${accelerator}: ${failure}`);
  }
  return emulation(failures.join("; ") || "none known for this system");
}

/** What guests run on: what was asked for, or what this computer can do, found out once. */
export class Acceleration {
  readonly #options: AccelerationOptions;
  #choice: Choice | undefined;

  constructor(options: AccelerationOptions) {
    this.#options = options;
    if (options.accelerator !== "auto") this.#choice = { accelerator: options.accelerator };
  }

  get emulated(): boolean {
    return this.#choice?.accelerator === "tcg";
  }

  async find(signal: AbortSignal): Promise<Choice> {
    return (this.#choice ??= await chooseAccelerator(this.#options.arch, this.#options.platform, signal));
  }

  /** A hypervisor that ran the test guest may still not run Linux (a nested one above all): emulation can. False when there is nothing to fall back to. */
  fallBack(reason: string): boolean {
    const { accelerator = "tcg" } = this.#choice ?? {};
    if (this.#options.accelerator !== "auto" || accelerator === "tcg") return false;
    this.#choice = emulation(`${accelerator}: ${reason}`);
    return true;
  }
}

/** Software emulation, because of `reason`. */
const emulation = (reason: string): Choice => ({
  accelerator: "tcg",
  notice: `Software emulation is used, which is many times slower: this computer offers no usable hardware virtualisation (${reason}).`,
});

/** Runs a guest of a few instructions that ends QEMU by itself. Undefined when it did, else the reason. */
export async function probe(accelerator: Accelerator, arch: GuestArch, platform: NodeJS.Platform, signal: AbortSignal): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), "slipway-probe-"));
  try {
    const file = join(dir, "guest.bin");
    await writeFile(file, probeGuest(arch));
    const { code, errors } = await run(
      emulator(arch, platform),
      probeArguments(accelerator, arch, file),
      AbortSignal.any([signal, AbortSignal.timeout(probeMs)]),
    );
    signal.throwIfAborted();
    if (code === probeExit(arch)) return undefined;
    return code === undefined ? errors || `the test guest did not end within ${probeMs / 1000} s` : errors || `QEMU exited with ${code}`;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function probeArguments(accelerator: Accelerator, arch: GuestArch, file: string): string[] {
  const board = arch === "amd64" ? "q35" : "virt,gic-version=max";
  const common = [
    "-M",
    board,
    "-accel",
    acceleratorOption(accelerator),
    "-cpu",
    cpu(arch, accelerator),
    "-m",
    "64",
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-no-reboot",
  ];
  return arch === "amd64" ? [...common, "-bios", file, "-device", "isa-debug-exit,iobase=0x501,iosize=1"] : [...common, "-kernel", file];
}

/** isa-debug-exit makes (value << 1) | 1 of the byte written; a PSCI power-off is a plain exit. */
const probeExit = (arch: GuestArch): number => (arch === "amd64" ? (0x10 << 1) | 1 : 0);

/** amd64: a firmware whose reset vector writes to the exit port. arm64: a kernel that calls PSCI SYSTEM_OFF. */
function probeGuest(arch: GuestArch): Buffer {
  if (arch === "arm64") return Buffer.from("00018052" + "0080b072" + "020000d4" + "00000014", "hex"); // movz w0,#8; movk w0,#0x8400,lsl#16; hvc #0; b .
  const firmware = Buffer.alloc(64 * 1024, 0xf4);
  Buffer.from("ba0105" + "b010" + "ee" + "f4" + "ebfd", "hex").copy(firmware, firmware.length - 16); // mov dx,0x501; mov al,0x10; out dx,al; hlt; jmp -3
  return firmware;
}

function run(command: string, args: readonly string[], signal: AbortSignal): Promise<{ code: number | undefined; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], signal, killSignal: "SIGKILL" });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-2_000)));
    child.on("error", (error) => resolve({ code: undefined, errors: signal.aborted ? "" : error.message }));
    child.on("close", (code) => resolve({ code: code ?? undefined, errors: lastLine(errors) }));
  });
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
