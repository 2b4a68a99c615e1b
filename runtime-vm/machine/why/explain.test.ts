import { describe, expect, test } from "vitest";
import { errorLines, startError } from "./explain.ts";

/** What cannot be broken on every computer, as QEMU, Linux and the engine word it; the others are broken for real in start-failures.int.test.ts. */
const failures: readonly (readonly [what: string, error: string, printed: readonly string[], rule: string, says: RegExp])[] = [
  [
    "no right to /dev/kvm",
    "Starting the virtual machine: QEMU ended with 1: Could not access KVM kernel module: Permission denied; qemu-system-x86_64: -accel kvm: failed to initialize kvm: Permission denied",
    [],
    "kvm-forbidden",
    /usermod -aG kvm/,
  ],
  ["another hypervisor", "QEMU ended with 1: failed to initialize kvm: Device or resource busy", [], "accelerator-busy", /VirtualBox/],
  ["no HVF", "QEMU ended with 1: qemu-system-x86_64: -accel hvf: Error: ret = HV_UNSUPPORTED", [], "accelerator-unusable", /hvf cannot be used/],
  ["QEMU killed for want of memory", "QEMU was killed (SIGKILL)", [], "qemu-killed", /less.*--memory/],
  ["QEMU may not be run", "Starting the virtual machine: cannot start qemu-system-x86_64: spawn EACCES", [], "qemu-forbidden", /may be run by this user/],
  ["a full disk of this computer", "Preparing the data disk: cannot make the data disk /m/data.raw of 64 GiB: ENOSPC", [], "disk-full", /Make room/],
  ["a read-only disk of this computer", "EROFS: read-only file system, mkdir '/m/run'", [], "disk-read-only", /only be read/],
  ["a folder of root's", "EACCES: permission denied, mkdir '/m/run'", [], "no-permission", /chown/],
  [
    "a panic for want of memory",
    "Linux in the virtual machine crashed",
    ["[    2.1] Kernel panic - not syncing: System is deadlocked on memory"],
    "guest-memory",
    /512 MiB.*2048 MiB at least/,
  ],
  [
    "another panic",
    "Linux in the virtual machine crashed",
    ["[    2.1] Kernel panic - not syncing: Fatal exception in interrupt"],
    "guest-panic",
    /Fatal exception in interrupt\./,
  ],
  ["a panic of which nothing was heard", "Linux in the virtual machine crashed", [], "guest-crashed", /no word of why/],
  [
    "a data disk beyond repair",
    "Mounting the data disk: /dev/vdb does not mount: ",
    ["slipway-step: disk fail 90 /dev/vdb does not mount: ", "slipway-step: repair fail 900 Sorry, could not find valid secondary superblock"],
    "disk-damaged",
    /secondary superblock\..*rescue/,
  ],
  [
    "an engine that says why",
    "Waiting for the engine: not done within 360 s",
    ["slipway engine: database or disk is full", "  why: The disk of the engine's root directory is full.", "  fix: Make room on it."],
    "engine-failed",
    /root directory is full\. Make room on it\./,
  ],
  ["an engine that does not come up", "Waiting for the engine: not done within 360 s", ["slipway-step: shares ok 5"], "engine-silent", /did not answer/],
  ["a Linux that says nothing", "Booting Linux: not done within 180 s", [], "guest-silent", /not say a word/],
  ["a hypervisor that cannot", "Booting Linux: KVM internal error. Suberror: 1", [], "hypervisor-failed", /--accel tcg/],
  ["a guest that ends", "the virtual machine switched itself off", [], "guest-switched-off", /console/],
  ["what nobody thought of", "the moon is full", ["a", "b"], "start-failed", /Start it once more/],
];

describe("a machine that does not start", () => {
  test.for(failures)("%s", ([, error, printed, rule, says]) => {
    const { why } = startError({ error, printed, platform: "linux", memoryMiB: 512 });
    expect(why?.Rule).toBe(rule);
    expect(why?.Evidence[0]).toBe(error);
    expect(`${why?.Verdict} ${why?.Fix}`).toMatch(says);
  });
});

test("what the guest printed before the failure is evidence, of it the lines that tell", () => {
  const printed = ["[ 1.0] usb: hub", "slipway-step: disk fail 9 /dev/vdb holds something that is not XFS: it is left alone", "[ 1.1] sr0: x"];
  expect(startError({ error: "Mounting the data disk: no", printed, platform: "linux" }).why).toMatchObject({
    Rule: "disk-foreign",
    Evidence: ["Mounting the data disk: no", "slipway-step: disk fail 9 /dev/vdb holds something that is not XFS: it is left alone"],
  });
});

test("a terminal shows the sentence, why, what to do, and where there is more", () => {
  expect(errorLines(startError({ error: "/i/vmlinuz is missing: build the image", printed: [], platform: "linux" }, "More is in /m/console.log"))).toBe(
    [
      "/i/vmlinuz is missing: build the image",
      "  why: The system image is not there, or not whole: /i/vmlinuz is missing.",
      "  fix: Build it: npm run image",
      "More is in /m/console.log",
    ].join("\n"),
  );
  expect(errorLines({ message: "QEMU has died", hint: "It is started again in 1 s." })).toBe("QEMU has died. It is started again in 1 s.");
});
