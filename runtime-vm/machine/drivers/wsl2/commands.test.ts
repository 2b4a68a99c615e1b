import { expect, test } from "vitest";
import { bridgeCommand, drivePath, engineCommand, execArguments, importArguments, parseList } from "./commands.ts";

test("the engine runs as root in its own distribution, without a shell between", () => {
  const command = engineCommand({ root: "/var/lib/slipway", socket: "/run/slipway.sock", config: "/mnt/c/s/daemon.json", debug: true });
  expect(execArguments(command)).toEqual([
    ...["--distribution", "slipway", "--user", "root", "--exec"],
    ...[
      "/usr/bin/node",
      "/usr/lib/slipway/main.mjs",
      "--root",
      "/var/lib/slipway",
      "--socket",
      "/run/slipway.sock",
      "--config",
      "/mnt/c/s/daemon.json",
      "--debug",
    ],
  ]);
});

test("the distribution is imported as version 2", () => {
  expect(importArguments("C:\\Users\\Me\\wsl", "C:\\slipway\\rootfs.tar")).toEqual([
    ...["--import", "slipway", "C:\\Users\\Me\\wsl", "C:\\slipway\\rootfs.tar", "--version", "2"],
  ]);
});

test("the list of distributions is read in both of its encodings", () => {
  expect(parseList(Buffer.from("\uFEFFUbuntu\r\nslipway\r\n", "utf16le"))).toEqual(["Ubuntu", "slipway"]);
  expect(parseList(Buffer.from("Ubuntu\nslipway\n"))).toEqual(["Ubuntu", "slipway"]);
  expect(parseList(Buffer.alloc(0))).toEqual([]);
});

test("drives appear below /mnt", () => {
  expect(drivePath("C:\\Users\\Me")).toBe("/mnt/c/Users/Me");
  expect(drivePath("\\\\server\\x")).toBeUndefined();
});

test("the bridge to a socket gets its path as an argument, not as program text", () => {
  expect(bridgeCommand("/run/a'b.sock").at(-1)).toBe("/run/a'b.sock");
});
