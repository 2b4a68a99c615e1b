import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestedDevices } from "./cdi.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cdi-"));
  mkdirSync(join(dir, "cdi"));
  const spec = {
    cdiVersion: "0.6.0",
    kind: "vendor.example/zero",
    devices: [
      { name: "one", containerEdits: { deviceNodes: [{ path: "/dev/one", hostPath: "/dev/zero", permissions: "r" }], env: ["ONE=1"] } },
      { name: "hooked", containerEdits: { hooks: [{ hookName: "createContainer", path: "/bin/true" }] } },
    ],
    containerEdits: { env: ["VENDOR=example"], mounts: [{ hostPath: "/usr/lib", containerPath: "/vendor" }], additionalGids: [44] },
  };
  writeFileSync(join(dir, "cdi", "zero.json"), JSON.stringify(spec));
});
afterAll(() => rmSync(dir, { recursive: true }));

const named = (...DeviceIDs: string[]): ReturnType<typeof requestedDevices> =>
  requestedDevices({ DeviceRequests: [{ Driver: "cdi", DeviceIDs }] }, { cdiSpecDirs: ["/none", "/cdi"], hostPrefix: dir });

test("a device by name brings what its specification says", () => {
  expect(named("vendor.example/zero=one")).toEqual({
    env: ["ONE=1", "VENDOR=example"],
    nodes: [expect.objectContaining({ type: "c", path: "/dev/one", major: 1, minor: 5 })],
    rules: [{ allow: true, type: "c", major: 1, minor: 5, access: "r" }],
    mounts: [{ destination: "/vendor", type: "bind", source: `${dir}/usr/lib`, options: ["ro", "nosuid", "nodev", "rbind"] }],
    groups: [44],
  });
});

test("what this machine does not have is refused by name", () => {
  expect(() => named("vendor.example/zero=two", "a.b/c=d")).toThrow("CDI device injection failed: unresolvable CDI devices vendor.example/zero=two, a.b/c=d");
  expect(() => named("vendor.example/zero=hooked")).toThrow(/hooks/);
  const gpus = { DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu", "nvidia"]] }] };
  expect(() => requestedDevices(gpus, { cdiSpecDirs: [], hostPrefix: "" })).toThrow('could not select device driver "" with capabilities: [[gpu nvidia]]');
});
