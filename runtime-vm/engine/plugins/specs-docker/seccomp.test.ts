import { expect, test } from "vitest";
import { kernelAtLeast, parseProfile, resolveSeccomp, type Profile } from "./seccomp.ts";

const allow = "SCMP_ACT_ALLOW";
const profile: Profile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1,
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_RISCV64", subArchitectures: null },
  ],
  syscalls: [
    { names: ["read"], action: allow },
    { names: ["ptrace"], action: allow, includes: { minKernel: "4.8" } },
    { names: ["arm_only"], action: allow, includes: { arches: ["arm", "arm64"] } },
    { names: ["mount"], action: allow, includes: { caps: ["CAP_SYS_ADMIN"] } },
    { names: ["clone"], action: allow, args: [{ index: 0 }], excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390"] } },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: { caps: ["CAP_SYS_ADMIN"] } },
    { names: ["old_kernels"], action: allow, excludes: { minKernel: "5.0" } },
  ],
};
const names = (capabilities: string[], arch: string, kernel: string): unknown[] =>
  (resolveSeccomp(profile, capabilities, { arch, kernel })["syscalls"] as { names: string[] }[]).flatMap((rule) => rule.names);

test("rules apply by capability, architecture and kernel", () => {
  expect(names([], "x64", "6.12.1")).toEqual(["read", "ptrace", "clone", "clone3"]);
  expect(names(["CAP_SYS_ADMIN"], "x64", "6.12.1")).toEqual(["read", "ptrace", "mount"]);
  expect(names([], "arm64", "6.12.1")).toEqual(["read", "ptrace", "arm_only", "clone", "clone3"]);
  expect(names([], "x64", "4.7.0")).toEqual(["read", "clone", "clone3", "old_kernels"]);
});

test("what is left is OCI's format alone", () => {
  const resolved = resolveSeccomp(profile, [], { arch: "x64", kernel: "6.12.1" });
  expect(resolved).toMatchObject({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  });
  expect(resolved["syscalls"]).toContainEqual({ names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 });
  expect(JSON.stringify(resolved)).not.toMatch(/includes|excludes|archMap/);
  expect(resolveSeccomp(profile, [], { arch: "riscv64", kernel: "6.12.1" })["architectures"]).toEqual(["SCMP_ARCH_RISCV64"]);
});

test.for([
  ["6.12.107+deb13-amd64", "4.8", true],
  ["4.8.0", "4.8", true],
  ["4.7.10", "4.8", false],
  ["5.0-rc1", "4.20", true],
  ["10.0.0", "9.9", true],
] as const)("kernel %s against %s: %s", ([release, wanted, expected]) => {
  expect(kernelAtLeast(release, wanted)).toBe(expected);
});

test.for(["not json", "[]", '{"syscalls":[]}', '{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"b","subArchitectures":null}]}'])(
  "profile %s is refused",
  (text) => {
    expect(() => parseProfile(text)).toThrow(expect.objectContaining({ class: "invalidArgument" }) as Error);
  },
);

test("the old form with one name a rule is taken too", () => {
  const old = parseProfile(
    '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW","args":[]}]}',
  );
  expect(resolveSeccomp(old, [], { arch: "x64", kernel: "6.1" })).toEqual({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
  });
});
