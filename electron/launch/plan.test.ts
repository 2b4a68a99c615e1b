import { expect, test } from "vitest";
import { appPackages, chooseWindow, chromiumPackages, foreignPlatformAdvice, parseOsRelease, staleNpmPackages, systemPackagePlan } from "./plan.mjs";

const lock = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0" },
    "node_modules/only-mac": { version: "3.0.0", optional: true },
  },
};

test("nothing is stale when every package is there in its version; an optional one for another platform may be absent", () => {
  expect(staleNpmPackages(lock, { packages: { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "2.0.0" } } })).toEqual([]);
});

test("a missing package, another version, and nothing at all are stale", () => {
  expect(staleNpmPackages(lock, { packages: { "node_modules/a": { version: "1.0.1" } } })).toEqual(["node_modules/a", "node_modules/b"]);
  expect(
    staleNpmPackages(lock, {
      packages: { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "2.0.0" }, "node_modules/only-mac": { version: "2.9.0" } },
    }),
  ).toEqual(["node_modules/only-mac"]);
  expect(staleNpmPackages(lock, undefined)).toEqual(["node_modules/a", "node_modules/b"]);
});

const debian = parseOsRelease('PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n');
const ubuntu = parseOsRelease('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n');
const fedora = parseOsRelease('ID=fedora\nVERSION_ID="43"\n');

test("os-release is read with and without quotes", () => {
  expect([debian, ubuntu, fedora]).toEqual([
    { id: "debian", like: [] },
    { id: "ubuntu", like: ["debian"] },
    { id: "fedora", like: [] },
  ]);
});

const missing = ["qemu-system-x86", "chromium"];
const at = { platform: "linux", os: debian, missing, isRoot: false, sudo: "none" };

test("nothing missing means nothing to do, whatever the rights", () => {
  expect(systemPackagePlan({ ...at, missing: [] })).toEqual({ kind: "nothing" });
});

test("root installs without a question", () => {
  const plan = systemPackagePlan({ ...at, isRoot: true });
  expect(plan.kind).toBe("run");
  expect(plan.commands.map((command: string[]) => command[0])).toEqual(["apt-get", "apt-get"]);
  expect(plan.commands[1]).toEqual(expect.arrayContaining(["install", "-y", "--no-install-recommends", "qemu-system-x86", "chromium"]));
});

test("sudo is used where there is one, and never asks where nobody can answer", () => {
  const silent = systemPackagePlan({ ...at, os: ubuntu, sudo: "silent" });
  expect(silent.commands.every((command: string[]) => command[0] === "sudo" && command[1] === "-n" && command[2] === "apt-get")).toBe(true);
  expect(systemPackagePlan({ ...at, sudo: "asks" })).toMatchObject({ kind: "run", asks: true });
});

test("without rights the exact command is told", () => {
  const plan = systemPackagePlan(at);
  expect(plan.kind).toBe("tell");
  expect(plan.text).toContain("apt-get install -y --no-install-recommends qemu-system-x86 chromium");
});

test("on a distribution without apt the packages are named", () => {
  expect(systemPackagePlan({ ...at, os: fedora, isRoot: true })).toMatchObject({
    kind: "tell",
    text: expect.stringContaining("qemu-system-x86, chromium") as string,
  });
});

test("the packages fit the processor, and Ubuntu is spared its chromium snap", () => {
  expect(appPackages("x64", ["apt", "qemu-system-x86"])).toEqual(["qemu-system-x86", "apt"]);
  expect(appPackages("arm64", [])).toContain("qemu-system-arm");
  expect(chromiumPackages(debian)).toContain("chromium");
  expect(chromiumPackages(ubuntu)).toEqual([]);
});

test("macOS and Windows are told what is missing, and nothing when all is there", () => {
  const all = { qemu: true, wsl: true, electron: true, image: true };
  expect(foreignPlatformAdvice("darwin", all)).toEqual([]);
  expect(foreignPlatformAdvice("darwin", { ...all, qemu: false })[0]).toContain("brew install qemu");
  expect(foreignPlatformAdvice("win32", { ...all, qemu: false, wsl: false })[0]).toContain("wsl --install");
});

const found = { electron: "/e", chromium: "/c", display: true, isRoot: false };
test("Electron is the window when its binary is there; else a browser, with the reason in one line", () => {
  expect(chooseWindow(found)).toEqual({ kind: "electron", binary: "/e" });
  expect(chooseWindow({ ...found, electron: undefined })).toMatchObject({ kind: "chromium", binary: "/c", reason: "Electron's binary is not installed" });
  expect(chooseWindow({ ...found, electron: undefined, chromium: undefined }).kind).toBe("address");
  expect(chooseWindow({ ...found, display: false })).toMatchObject({ kind: "address", reason: "there is no display" });
});

test("a browser as root starts without its sandbox, as anybody else with it", () => {
  expect(chooseWindow({ ...found, electron: undefined, isRoot: true }).args).toContain("--no-sandbox");
  expect(chooseWindow({ ...found, electron: undefined }).args).not.toContain("--no-sandbox");
});
