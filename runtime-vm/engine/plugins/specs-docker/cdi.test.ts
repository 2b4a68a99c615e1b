import { mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requestedDevices } from "./cdi.ts";
import { readCdiDevices } from "./cdi-registry.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cdi-"));
  for (const dir of ["etc/cdi", "run/cdi", "lib"]) mkdirSync(join(root, dir), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const kernel = { openInRoot: (base: string, path: string) => openSync(join(base, path), "r") };
const machine = (): Parameters<typeof readCdiDevices>[0] => ({ cdiSpecDirs: ["/none", "/etc/cdi", "/run/cdi"], hostPrefix: root, kernel });
const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
const named = (...DeviceIDs: string[]): ReturnType<typeof requestedDevices> =>
  requestedDevices({ DeviceRequests: [{ Driver: "cdi", DeviceIDs }] }, { uid: 0, gid: 0 }, machine());

const zero = `
cdiVersion: "0.7.0"   # said with quotes
kind: vendor.example/zero
annotations: { maker: example }
devices:
  - name: one
    containerEdits:
      deviceNodes:
        - { path: /dev/one, hostPath: /dev/zero, permissions: r, fileMode: 0600 }
      env: [ONE=1, BOTH=device]
  - name: 2
    containerEdits:
      deviceNodes:
        - path: /dev/two
          type: c
          major: 4
          minor: 5
  - name: hooked
    containerEdits:
      hooks: [{ hookName: createContainer, path: /bin/true }]
  - name: gone
    containerEdits: { deviceNodes: [{ path: /dev/nothing-here }] }
containerEdits:
  env: [VENDOR=example, BOTH=vendor]
  mounts: [{ hostPath: /lib, containerPath: /vendor }]
  additionalGids: [44]
`;

test("a device by name brings what its specification in YAML says", () => {
  write("etc/cdi/zero.yaml", zero);
  expect(named("vendor.example/zero=one")).toEqual({
    env: ["VENDOR=example", "BOTH=vendor", "ONE=1", "BOTH=device"],
    nodes: [{ type: "c", path: "/dev/one", major: 1, minor: 5, fileMode: 0o600, uid: 0, gid: 0 }],
    rules: [{ allow: true, type: "c", major: 1, minor: 5, access: "r" }],
    mounts: [{ destination: "/vendor", type: "bind", source: join(root, "lib"), options: ["ro", "nosuid", "nodev", "rbind"] }],
    groups: [44],
  });
  // What the file has of all its devices is there once.
  expect(named("vendor.example/zero=2", "vendor.example/zero=one").env).toEqual(["VENDOR=example", "BOTH=vendor", "ONE=1", "BOTH=device"]);
});

test("a node that is told in full need not be there, and belongs to the container's user", () => {
  write("etc/cdi/zero.yaml", zero);
  const { nodes } = requestedDevices({ DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["vendor.example/zero=2"] }] }, { uid: 7, gid: 8 }, machine());
  expect(nodes).toEqual([{ type: "c", path: "/dev/two", major: 4, minor: 5, fileMode: 0o666, uid: 7, gid: 8 }]);
});

test("JSON is read too, and a later directory wins", () => {
  const spec = (env: string): string => JSON.stringify({ cdiVersion: "0.5.0", kind: "a.b/cc", devices: [{ name: "x", containerEdits: { env: [env] } }] });
  write("etc/cdi/a.json", spec("FROM=etc"));
  write("run/cdi/a.json", spec("FROM=run"));
  write("run/cdi/ignored.yml", "nonsense");
  expect(named("a.b/cc=x").env).toEqual(["FROM=run"]);
  expect(readCdiDevices(machine()).problems).toEqual([]);
});

test("two files of one directory that name the same device make it none", () => {
  for (const name of ["a", "b"])
    write(
      `etc/cdi/${name}.yaml`,
      `{cdiVersion: 0.5.0, kind: a.b/cc, devices: [{name: x, containerEdits: {env: [F=${name}]}}, {name: ${name}, containerEdits: {env: [F=1]}}]}`,
    );
  const { devices, problems } = readCdiDevices(machine());
  expect([...devices.keys()]).toEqual(["a.b/cc=a", "a.b/cc=b"]);
  expect(problems.map(({ file }) => file)).toEqual(["/etc/cdi/b.yaml", "/etc/cdi/a.yaml"]);
});

test.each([
  ["devices: [\n", /./],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, devices: []}", /no devices/],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, nonsense: 1, devices: [{name: x, containerEdits: {env: [A=b]}}]}", /unknown field "nonsense"/],
  ["{cdiVersion: 0.5.0, kind: nonsense, devices: [{name: x, containerEdits: {env: [A=b]}}]}", /invalid class ""/],
  ["{cdiVersion: 9.9.9, kind: a.b/cc, devices: [{name: x, containerEdits: {env: [A=b]}}]}", /unknown cdiVersion "9.9.9"/],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, devices: [{name: x, containerEdits: {additionalGids: [1]}}]}", /at least 0.7.0/],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, devices: [{name: x, containerEdits: {env: [A]}}]}", /environment variable "A"/],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, devices: [{name: x}]}", /"x" has no container edits/],
  ["{cdiVersion: 0.5.0, kind: a.b/cc, devices: [{name: x, containerEdits: {env: [A=b]}}, {name: x, containerEdits: {env: [A=b]}}]}", /multiple device "x"/],
  ["- a", /no object/],
])("the specification %j is none, and said to be", (text, reason) => {
  write("etc/cdi/bad.yaml", text);
  const { devices, problems } = readCdiDevices(machine());
  expect(devices.size).toBe(0);
  expect(problems).toEqual([{ file: "/etc/cdi/bad.yaml", reason: expect.stringMatching(reason) as string }]);
  expect(() => named("a.b/cc=x")).toThrow("unresolvable CDI devices a.b/cc=x (not read: /etc/cdi/bad.yaml: ");
});

test("a bad specification, and a link to nothing, leave the others as they are", () => {
  write("etc/cdi/bad.yaml", "{");
  symlinkSync("nowhere", join(root, "etc/cdi/link.json"));
  write("etc/cdi/zero.yaml", zero);
  expect(named("vendor.example/zero=one").groups).toEqual([44]);
  expect(readCdiDevices(machine()).problems).toHaveLength(2);
});

test("what this machine does not have is refused by name", () => {
  write("etc/cdi/zero.yaml", zero);
  expect(() => named("vendor.example/zero=two", "a.b/c=d")).toThrow("CDI device injection failed: unresolvable CDI devices vendor.example/zero=two, a.b/c=d");
  expect(() => named("vendor.example/zero=hooked")).toThrow(/hooks/);
  expect(() => named("vendor.example/zero=gone")).toThrow('failed to stat CDI host device "/dev/nothing-here"');
  const asked =
    (request: object): (() => unknown) =>
    () =>
      requestedDevices({ DeviceRequests: [request] }, { uid: 0, gid: 0 }, machine());
  expect(asked({ Driver: "", Count: -1, Capabilities: [["gpu", "nvidia"]] })).toThrow('could not select device driver "" with capabilities: [[gpu nvidia]]');
  expect(asked({ Driver: "cdi", Count: 1, DeviceIDs: ["x"] })).toThrow("unexpected count in CDI device request");
  expect(asked({ Driver: "cdi", Options: { a: "b" } })).toThrow("unexpected options in CDI device request");
});
