import { expect, test } from "vitest";
import { machinePaths } from "./names.ts";

test("sockets lie under the root", () => {
  expect(machinePaths("/home/u/.slipway/machine").link).toBe("/home/u/.slipway/machine/run/h2.sock");
});

test("a long root has its sockets elsewhere, always at the same short place", () => {
  const root = `/home/${"long".repeat(30)}/machine`;
  const { share, disk, qmp } = machinePaths(root);
  expect(Buffer.byteLength(share("share99"))).toBeLessThan(104);
  expect(disk.startsWith(root)).toBe(true);
  expect(machinePaths(root).qmp).toBe(qmp);
  expect(machinePaths(`${root}2`).qmp).not.toBe(qmp);
});

test("on Windows the ports are pipes of this root alone", () => {
  const { qmp, link, ctl, owner } = machinePaths("C:\\Users\\Me\\slipway", "win32");
  for (const name of [qmp, link, ctl]) expect(name).toMatch(/^slipway-[0-9a-f]{12}-(qmp|h2|ctl)$/);
  expect(owner).toMatch(/^\\\\\.\\pipe\\slipway-[0-9a-f]{12}$/);
  expect(machinePaths("C:\\other", "win32").qmp).not.toBe(qmp);
});
