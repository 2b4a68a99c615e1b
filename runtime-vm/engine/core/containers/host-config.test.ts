import { expect, test } from "vitest";
import type { HostConfig } from "#api/containers.ts";
import { resolveConfig } from "../config/load.ts";
import { completeConfig } from "./config.ts";
import { completeHostConfig } from "./host-config.ts";

const engine = resolveConfig({}, '{"log-opts":{"max-size":"1m"}}');

test("nothing asked for is filled in as inspect shows it", () => {
  expect(completeHostConfig({}, engine)).toMatchObject({
    NetworkMode: "bridge",
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
    CgroupnsMode: "private",
    IpcMode: "private",
    ShmSize: 67_108_864,
  });
  expect(completeHostConfig({ NetworkMode: "default" }, engine).NetworkMode).toBe("bridge");
});

test("another log driver does not get the default one's options; a privileged container has nothing masked", () => {
  expect(completeHostConfig({ LogConfig: { Type: "local" } }, engine).LogConfig).toEqual({ Type: "local", Config: {} });
  expect(completeHostConfig({ Privileged: true }, engine)).toMatchObject({
    MaskedPaths: null,
    ReadonlyPaths: null,
    CgroupnsMode: "private",
    SecurityOpt: ["label=disable"],
  });
});

test.each<[HostConfig, string]>([
  [{ Runtime: "x" }, "unknown or invalid runtime name: x"],
  [{ ShmSize: -1 }, "SHM size can not be less than 0"],
  [{ IpcMode: "x" }, "invalid IPC mode: x"],
  [{ ExtraHosts: ["x"] }, 'bad format for add-host: "x"'],
  [{ Annotations: { "": "x" } }, "invalid Annotations: the empty string is not permitted as an annotation key"],
  [{ Tmpfs: { x: "" } }, "invalid mount path: 'x' mount path must be absolute"],
  [{ RestartPolicy: { Name: "x" as "no" } }, "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"],
  [{ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }, "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
  [{ RestartPolicy: { Name: "on-failure", MaximumRetryCount: -3 } }, "invalid restart policy: maximum retry count cannot be negative"],
  [{ AutoRemove: true, RestartPolicy: { Name: "always" } }, "can't create 'AutoRemove' container with restart policy"],
])("%j is refused in dockerd's words", (given, message) => {
  expect(() => completeHostConfig(given, engine)).toThrow(message);
});

const image = { Cmd: ["sh"], Env: ["PATH=/bin", "A=image"], Labels: { from: "image" }, WorkingDir: "/work" };

test("a configuration is completed by its image's", () => {
  expect(completeConfig({ Image: "x", Env: ["A=own"] }, image, "abc")).toMatchObject({
    Hostname: "abc",
    Cmd: ["sh"],
    Env: ["A=own", "PATH=/bin"],
    Labels: { from: "image" },
    WorkingDir: "/work",
    Tty: false,
    Volumes: null,
  });
});

test.each([
  [{ WorkingDir: "x" }, "the working directory 'x' is invalid, it needs to be an absolute path"],
  [{ Env: ["=x"] }, "invalid environment variable: =x"],
  [{ StopSignal: "X" }, "invalid signal: X"],
  [{ Volumes: { "/": {} } }, "invalid volume specification: '/'"],
  [{ Healthcheck: { Interval: 1 } }, "Interval in Healthcheck cannot be less than 1ms"],
  [{ Healthcheck: { Test: ["FOO"] } }, "unknown type in Healthcheck: FOO"],
])("%j is refused", (given, message) => {
  expect(() => completeConfig({ Image: "x", ...given } as Parameters<typeof completeConfig>[0], image, "abc")).toThrow(message);
});
