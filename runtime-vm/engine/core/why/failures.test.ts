import { describe, expect, test } from "vitest";
import type { BuildDetails } from "#api/builds.ts";
import { explainBoot } from "./rules-boot.ts";
import { explainBuild } from "./rules-build.ts";
import { explainPull } from "./rules-pull.ts";

/** What an int test cannot bring about everywhere, or only after a long time: errors as engine, kernel and registries word them. */
const pulls: readonly (readonly [error: string, rule: string, says: RegExp])[] = [
  ['failed to do request: Head "https://shop.example/v2/app/manifests/1": dial tcp: lookup shop.example: no such host', "name-unknown", /shop\.example/],
  ['failed to do request: Head "https://shop.example/v2/app/manifests/1": dial tcp 10.0.0.1:443: i/o timeout', "timeout", /shop\.example stopped answering/],
  ['failed to do request: Head "https://shop.example/v2/": dial tcp 10.0.0.1:443: connect: no route to host', "unreachable", /no way to shop\.example/],
  ["toomanyrequests: You have reached your pull rate limit", "rate-limit", /docker login shop\.example/],
  ["write /var/lib/slipway/ingest/x: no space left on device", "disk-full", /no room for shop\.example\/app:1/],
  ["filesystem layer verification failed for digest sha256:ab", "corrupt", /thrown away/],
  ["shop.example answered 503: status code 503", "registry-error", /failure of its own/],
  [
    "shop.example/app:1 is an artifact (application/vnd.cncf.helm.config.v1+json), not a container image; fetch it with a tool for artifacts",
    "artifact",
    /helm/,
  ],
];

test.for(pulls)("a pull: %s", ([error, rule, says]) => {
  const found = explainPull({ reference: "shop.example/app:1", error });
  expect(found).toMatchObject({ Rule: rule, Evidence: [error] });
  expect(`${found?.Verdict} ${found?.Fix}`).toMatch(says);
});

const failed = (error: string, output = ""): Pick<BuildDetails, "state" | "error" | "updates" | "source"> => ({
  state: "failed",
  error,
  source: { filename: "Dockerfile", text: "FROM busybox\nRUN make\n", start: 2, end: 2 },
  updates: [
    { steps: [{ id: "s1", name: "[1/2] FROM busybox", cached: false }], logs: [{ step: "s1", text: "No space left on device\n" }] },
    { steps: [{ id: "s2", name: "[2/2] RUN make", cached: false, error }], logs: [{ step: "s2", text: output }] },
  ],
});
const step = (code: number): string => `process "/bin/sh -c make" did not complete successfully: exit code: ${code}`;

const builds: readonly (readonly [what: string, build: ReturnType<typeof failed>, rule: string, says: RegExp])[] = [
  [
    "memory ran out",
    failed('process "/bin/sh -c make" did not complete successfully: cannot allocate memory', "cc1plus\nKilled\n"),
    "out-of-memory",
    /no memory left.*more memory/,
  ],
  ["something killed it", failed(step(137), "Killed\n"), "killed", /not for a lack of it/],
  ["a crash under emulation", failed(step(139)), "crashed", /exit code 139/],
  ["the name server is away", failed(step(100), "Err:1 http://deb\n  Temporary failure resolving 'deb.debian.org'\n"), "network", /deb\.debian\.org/],
  ["npm finds no registry", failed(step(1), "npm error code ENOTFOUND\n"), "network", /ENOTFOUND/],
  ["the disk is full in a step", failed(step(1), "cp: write error: No space left on device\n"), "disk-full", /disk is full/],
  ["the disk is full for a layer", failed("write /builds/work/x: no space left on device"), "disk-full", /disk is full/],
  ["a secret that was not given", failed("secret token: not found"), "secret-missing", /--secret id=token/],
  [
    "a base image of a registry that wants a login",
    failed(
      "failed to resolve source metadata for shop.example/base:1: pull access denied, repository does not exist or may require authorization: no basic auth credentials",
    ),
    "base-image",
    /shop\.example shows shop\.example\/base:1 only to those who are logged in/,
  ],
];

test.for(builds)("a build: %s", ([, build, rule, says]) => {
  const found = explainBuild(build);
  expect(found).toMatchObject({ Rule: rule });
  expect(`${found?.Verdict} ${found?.Fix}`).toMatch(says);
  expect(found?.Evidence[0]).toBe("Dockerfile:2: RUN make");
});

test("the evidence of a step is what it said last, and not what another said", () => {
  const found = explainBuild(failed(step(2), Array.from({ length: 9 }, (_, i) => `line ${i}\n`).join("")));
  expect(found).toMatchObject({ Rule: "step-failed", Evidence: ["Dockerfile:2: RUN make", "line 4", "line 5", "line 6", "line 7", "line 8", step(2)] });
});

test("a build that was done, goes on, or was cancelled has no explanation", () => {
  for (const state of ["done", "running", "cancelled"] as const) expect(explainBuild({ ...failed(step(1)), state })).toBeUndefined();
});

describe("an engine that cannot start", () => {
  const boots: readonly (readonly [error: string, rule: string, says: RegExp])[] = [
    ["ENOSPC: no space left on device, mkdir '/var/lib/slipway/run'", "disk-full", /full/],
    ["database or disk is full", "disk-full", /nothing of the engine's is lost/],
    ["EROFS: read-only file system, mkdir '/var/lib/slipway/run'", "disk-read-only", /only be read/],
    ["EACCES: permission denied, mkdir '/var/lib/slipway'", "no-permission", /sudo/],
    ["cannot open the state /r/state.db: database disk image is malformed; restore the file from a backup", "state-damaged", /\/r\/state\.db is damaged/],
    ["mount overlay: ENODEV, no such device", "kernel-feature", /kernel lacks/],
    ["pid file /run/x.pid: process with PID 7 is still running: stop it", "already-running", /process 7/],
    ["something nobody thought of", "start-failed", /engine\.log/],
  ];
  test.for(boots)("%s", ([error, rule, says]) => {
    const found = explainBoot(error);
    expect(found).toMatchObject({ Rule: rule, Evidence: [error] });
    expect(`${found.Verdict} ${found.Fix}`).toMatch(says);
  });
});
