import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostConfig } from "#api/containers.ts";
import { AppArmor } from "./apparmor.ts";
import { createDockerSpecs } from "./builder.ts";

let dir: string;
const at = (name: string): string => join(dir, name);
const open = (): AppArmor | undefined => AppArmor.open({ policy: at("policy"), securityfs: dir, parameter: at("enabled") });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-apparmor-"));
  writeFileSync(at("enabled"), "Y\n");
  writeFileSync(at("profiles"), "other (enforce)\n");
  writeFileSync(at(".replace"), "");
  writeFileSync(at("policy"), "compiled");
});
afterEach(() => rmSync(dir, { recursive: true }));

test("without AppArmor in the kernel there is none", () => {
  writeFileSync(at("enabled"), "N\n");
  expect(open()).toBeUndefined();
  rmSync(at("enabled"));
  expect(open()).toBeUndefined();
});

test("where securityfs is not shown there is none", () => {
  rmSync(at("profiles"));
  expect(open()).toBeUndefined();
});

test("a container gets the default profile, the one it asks for, or none when it is privileged", () => {
  const apparmor = open();
  expect(apparmor?.profileOf({})).toBe("docker-default");
  expect(apparmor?.profileOf({ SecurityOpt: ["apparmor=mine"] })).toBe("mine");
  expect(apparmor?.profileOf({ SecurityOpt: ["apparmor=unconfined"] })).toBe("unconfined");
  expect(apparmor?.profileOf({ SecurityOpt: ["apparmor=mine"], Privileged: true })).toBe("unconfined");
});

test("the default profile is loaded when it is wanted and not there", () => {
  const loaded = (): string => readFileSync(at(".replace"), "utf8");
  const apparmor = open();
  apparmor?.prepared({ Privileged: true });
  apparmor?.prepared({ SecurityOpt: ["apparmor=mine"] });
  expect(loaded()).toBe("");
  expect(apparmor?.prepared({})).toBe("docker-default");
  expect(loaded()).toBe("compiled");
});

test("one that is there already is left alone", () => {
  writeFileSync(at("profiles"), "other (enforce)\ndocker-default (enforce)\n");
  expect(open()?.prepared({})).toBe("docker-default");
  expect(readFileSync(at(".replace"), "utf8")).toBe("");
});

test("a profile that cannot be loaded is told", () => {
  rmSync(at(".replace"));
  mkdirSync(at(".replace"));
  expect(() => open()?.prepared({})).toThrow("AppArmor enabled on system but the docker-default profile could not be loaded: EISDIR");
});

test("container and exec run under the container's profile, a privileged exec too", () => {
  writeFileSync(at("seccomp.json"), '{"defaultAction":"SCMP_ACT_ALLOW","archMap":null,"syscalls":[]}');
  const kernel = { openInRoot: () => openSync(at("policy"), "r"), hardLimit: () => 4096 };
  const apparmor = open();
  const specs = createDockerSpecs({ kernel, seccompProfile: at("seccomp.json"), cgroupRoot: dir, ...(apparmor ? { apparmor } : {}) });
  const config = { Image: "x", Cmd: ["true"] };
  const build = (hostConfig: HostConfig): string | undefined =>
    specs.build({ id: "c1", rootfs: dir, hostname: "box", mounts: [], config, hostConfig }).spec.process.apparmorProfile;
  expect(build({})).toBe("docker-default");
  expect(build({ Privileged: true })).toBe("unconfined");
  const exec = specs.execProcess({ rootfs: dir, config, hostConfig: {}, exec: { Cmd: ["true"], Privileged: true } });
  expect(exec.apparmorProfile).toBe("docker-default");
  expect(specs.apparmorProfile({}, true)).toBe("docker-default");
  expect(specs.apparmorProfile({}, false)).toBe("");
  expect(specs.apparmorProfile({ SecurityOpt: ["apparmor=mine"] }, false)).toBe("mine");
});
