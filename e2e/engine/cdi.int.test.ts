import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Rig, create, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let dir: string;
let rig: Rig;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cdi-"));
  mkdirSync(join(dir, "specs"));
  writeFileSync(join(dir, "given"), "given by the vendor\n");
  writeFileSync(join(dir, "daemon.json"), JSON.stringify({ "cdi-spec-dirs": [join(dir, "specs")] }));
  writeFileSync(
    join(dir, "specs", "vendor.yaml"),
    `# found by its name
cdiVersion: 0.7.0
kind: vendor.example/device
devices:
  - name: 0
    containerEdits:
      env: [VENDOR_DEVICE=0, HOME=/vendor]
      deviceNodes:
        - { path: /dev/vendor0, hostPath: /dev/zero }
containerEdits:
  additionalGids: [4711]
  mounts:
    - { hostPath: ${join(dir, "given")}, containerPath: /opt/vendor/given, options: [ro, nosuid, bind] }
`,
  );
  writeFileSync(join(dir, "specs", "broken.yaml"), "kind: [");
  rig = await openRig("cdi", { args: ["--config", join(dir, "daemon.json")] });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

const wanting = (...DeviceIDs: string[]): { HostConfig: object } => ({ HostConfig: { DeviceRequests: [{ Driver: "cdi", DeviceIDs }] } });

test("a device that a specification in YAML names is there: node, variables, groups and files", async () => {
  const { client } = rig;
  const look = "head -c 2 /dev/vendor0 | od -An -tx1; cat /opt/vendor/given; id -G; env | grep -E '^(VENDOR_|HOME)' | sort";
  const id = await run(client, { ...sh(look), ...wanting("vendor.example/device=0") });
  await wait(client, id);
  const { stdout } = await logs(client, id);
  expect(stdout.split("\n").map((line) => line.trim())).toEqual([
    "00 00",
    "given by the vendor",
    expect.stringMatching(/\b4711$/),
    "HOME=/vendor",
    "VENDOR_DEVICE=0",
    "",
  ]);
  await remove(client, id);
});

test("/info names the devices, and the specifications that are none", async () => {
  const info = await rig.client.json<{ DiscoveredDevices: unknown; Warnings: string[] }>("GET", "/info");
  expect(info.DiscoveredDevices).toEqual([{ Source: "cdi", ID: "vendor.example/device=0" }]);
  expect(info.Warnings).toContainEqual(
    expect.stringContaining(`CDI: Error associated with spec file ${join(dir, "specs", "broken.yaml")}: failed to load CDI Spec: `),
  );
});

test("a device that nobody names keeps the container from starting", async () => {
  const { client } = rig;
  const id = await create(client, { Cmd: ["true"], ...wanting("vendor.example/device=7") });
  await expect(client.call("POST", `/containers/${id}/start`)).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining("unresolvable CDI devices vendor.example/device=7") as string,
  });
  await remove(client, id);
});
