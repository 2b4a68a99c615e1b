import { expect, test } from "vitest";
import { Acceleration } from "./accelerator.ts";

const signal = new AbortController().signal;
/** A platform without any hypervisor that QEMU could use. */
const platform = "freebsd";

test("what was asked for is taken as it is, and never fallen back from", async () => {
  const acceleration = new Acceleration({ accelerator: "kvm", arch: "amd64", platform });
  expect(await acceleration.find(signal)).toEqual({ accelerator: "kvm" });
  expect(acceleration.fallBack("KVM internal error")).toBe(false);
  expect(acceleration.emulated).toBe(false);
});

test("without a hypervisor there is emulation, with the reason, and nothing to fall back to", async () => {
  const acceleration = new Acceleration({ accelerator: "auto", arch: "amd64", platform });
  const { accelerator, notice } = await acceleration.find(signal);
  expect(accelerator).toBe("tcg");
  expect(notice).toContain("none known for this system");
  expect(acceleration.emulated).toBe(true);
  expect(acceleration.fallBack("late")).toBe(false);
});
