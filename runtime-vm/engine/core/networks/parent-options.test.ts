import { expect, test } from "vitest";
import { vlanOf } from "./parent-options.ts";

test("a dot in an interface's name says its VLAN", () => {
  expect(vlanOf("eth0.10")).toEqual({ base: "eth0", id: 10 });
});

// Answers of dockerd 28.5.
test.each([
  ["nosuch0", "invalid subinterface vlan name nosuch0, example formatting is eth0.10"],
  ["eth0.x", "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"],
  ["eth0.5000", "vlan id must be between 1-4094, received: 5000"],
])("%s is refused", (name, reason) => {
  expect(() => vlanOf(name)).toThrow(reason);
});
