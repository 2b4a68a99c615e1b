import { byError, type StartRule } from "./facts.ts";

const installQemu: Partial<Record<NodeJS.Platform, string>> = {
  linux: "Install it: sudo apt install qemu-system-x86 (on arm64: qemu-system-arm).",
  darwin: "Install it: brew install qemu.",
  win32: "Install it: winget install SoftwareFreedomConservancy.QEMU.",
};

const emulate = "or leave --accel out: software emulation is taken then, which is many times slower.";
const lessMemory = "Give the machine less (Settings, or --memory), or close programs that take much.";

/** What keeps a guest from being started: programs, rights and room of this computer. */
export const hostRules: readonly StartRule[] = [
  byError("qemu-missing", /cannot start (\S*qemu\S*): it is not installed/, ([, program = ""], { platform }) => ({
    verdict: `The virtual machine is run by ${program}, which is not installed.`,
    fix: installQemu[platform] ?? "Install QEMU.",
  })),
  byError("qemu-forbidden", /cannot start (\S*qemu\S*): (.*)$/s, ([, program = "", why = ""]) => ({
    verdict: `${program} cannot be run: ${why}.`,
    fix: "See that it is a program of this computer's and may be run by this user.",
  })),
  byError("machine-running", /the virtual machine in (.*?) is run by another process/, ([, root = ""]) => ({
    verdict: `The machine in ${root} runs already, for another Slipway.`,
    fix: "Use or quit that one, or give this one another root directory.",
  })),
  byError("socket-in-use", /(\S+) is in use: another program serves an engine there/, ([, path = ""]) => ({
    verdict: `Another program answers at ${path} already.`,
    fix: "Quit that program, or give this machine another socket.",
  })),
  byError("socket-is-file", /(\S+) exists and is no socket/, ([, path = ""]) => ({
    verdict: `At ${path} there is something else than a socket.`,
    fix: "Move it away, or give another path.",
  })),
  byError("socket-refused", /cannot serve (.*?): (\w+)/, ([, path = "", code = ""]) => ({
    verdict: `No socket can be made at ${path} (${code}).`,
    fix: "Name a path in a directory that this user may write to, of less than a hundred characters.",
  })),
  byError("image-missing", /(\S+) is missing: build the image/, ([, file = ""]) => ({
    verdict: `The system image is not there, or not whole: ${file} is missing.`,
    fix: "Build it: npm run image",
  })),
  byError("disk-full", /ENOSPC|EDQUOT|No space left on device|EFBIG/i, () => ({
    verdict: "This computer's disk has no room for the machine's.",
    fix: "Make room on it, or put the machine on another disk (--root).",
  })),
  byError("disk-read-only", /EROFS|Read-only file system/i, () => ({
    verdict: "The disk that the machine is kept on can only be read.",
    fix: "Mount it for writing, or put the machine on another disk (--root).",
  })),
  byError("disk-locked", /Failed to get (?:shared )?"[\w ]+" lock/i, () => ({
    verdict: "Another virtual machine uses this one's data disk at this moment.",
    fix: "End that QEMU (ps shows it with data.raw in its command line): two at once would destroy the disk.",
  })),
  byError("config-broken", /Reading daemon\.json: (.*)$/s, ([, why = ""]) => ({
    verdict: `The engine cannot be configured: ${why}.`,
    fix: "Correct daemon.json, or move it away to start with defaults.",
  })),
  byError("kvm-missing", /initialize kvm: No such file|Could not access KVM kernel module: No such file/i, () => ({
    verdict: "This computer offers no hardware virtualisation: there is no /dev/kvm.",
    fix: `Switch it on in the firmware (VT-x, AMD-V; in a virtual machine: nested virtualisation) and load kvm_intel or kvm_amd; ${emulate}`,
  })),
  byError("kvm-forbidden", /(?:initialize kvm|KVM kernel module): Permission denied/i, () => ({
    verdict: "This user may not use the hardware virtualisation: /dev/kvm cannot be opened.",
    fix: `Join its group and log in anew: sudo usermod -aG kvm $USER; ${emulate}`,
  })),
  byError("accelerator-busy", /initialize \w+: Device or resource busy|KVM_CREATE_VM.*busy|HV_BUSY/i, () => ({
    verdict: "Another hypervisor has the processor's virtualisation, and shares it with nobody.",
    fix: `Quit it (VirtualBox, VMware), ${emulate}`,
  })),
  byError("accelerator-unusable", /invalid accelerator (\w+)|-accel (\w+).*?: |HV_(?:UNSUPPORTED|DENIED|ERROR)|WHPX: /i, ([, unknown, known]) => ({
    verdict: `Hardware virtualisation ${unknown ?? known ?? "of this system"} cannot be used on this computer.`,
    fix: `Name one that it has (--accel kvm, hvf or whpx), ${emulate}`,
  })),
  byError("memory", /cannot set up guest memory|unable to map backing store|Cannot allocate memory|not enough memory/i, (_, { memoryMiB }) => ({
    verdict: `This computer does not have the ${memoryMiB === undefined ? "" : `${memoryMiB} MiB of `}memory that the machine is to get.`,
    fix: lessMemory,
  })),
  byError("processors", /Invalid SMP CPUs (\d+)/, ([, count = ""]) => ({
    verdict: `No machine can have ${count} processors.`,
    fix: "Give it as many as this computer has at most (--cpus).",
  })),
  byError("qemu-killed", /QEMU was killed \(SIGKILL\)/, () => ({
    verdict: "Something killed QEMU: this computer's kernel does so to large programs when memory is used up.",
    fix: `${lessMemory} dmesg says whether it was the kernel.`,
  })),
  byError(
    "image-damaged",
    /invalid kernel header|kernel too old|could not load (?:kernel|initrd)|could not open (?:kernel|initrd)|bios.*could not load/i,
    () => ({
      verdict: "The system image is damaged: its kernel cannot be loaded.",
      fix: "Build it anew: delete runtime-vm/image/out and run npm run image",
    }),
  ),
  byError("no-permission", /EACCES|EPERM|Permission denied|Operation not permitted/i, () => ({
    verdict: "This user may not use a file of the machine's.",
    fix: "See who owns what is named (an earlier start with sudo?), and give it back: sudo chown -R $USER",
  })),
];
