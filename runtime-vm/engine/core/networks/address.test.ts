import { expect, test } from "vitest";
import { addressText, addressValue, contains, familyOf, overlaps, parseCidr, prefixOf, prefixText } from "./address.ts";

test.each([
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["fe80::", "fe800000000000000000000000000000"],
  ["2001:db8::ff00:42:8329", "20010db8000000000000ff0000428329"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001"],
])("%s is the sixteen bytes %s", (text, hex) => {
  expect(addressValue(text).toString(16).padStart(32, "0")).toBe(hex);
});

test.each(["::", "::1", "fe80::1", "2001:db8:0:1:1:1:1:1", "1:0:0:2::3", "2001:db8::ff00:42:8329"])("%s is written as RFC 5952 has it", (text) => {
  expect(addressText(6, addressValue(text))).toBe(text);
});

test.each(["0.0.0.0", "172.17.0.1", "255.255.255.255"])("%s survives reading and writing", (text) => {
  expect(addressText(4, addressValue(text))).toBe(text);
});

test.each(["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "fe80::1%eth0", "localhost"])("%j is no address", (text) => {
  expect(familyOf(text)).toBeUndefined();
});

test("a prefix drops its host bits and remembers the address it was given with", () => {
  const parsed = parseCidr("10.9.0.5/24");
  expect(parsed && prefixText(parsed.prefix)).toBe("10.9.0.0/24");
  expect(parsed?.address).toBe("10.9.0.5");
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "fd00::/129", "/8"]) expect(parseCidr(bad)).toBeUndefined();
});

test("prefixes overlap when one holds the other, never across families", () => {
  expect(overlaps(prefixOf("172.17.0.0/16"), prefixOf("172.17.5.0/24"))).toBe(true);
  expect(overlaps(prefixOf("172.17.0.0/16"), prefixOf("172.18.0.0/16"))).toBe(false);
  expect(overlaps(prefixOf("0.0.0.0/0"), prefixOf("::/0"))).toBe(false);
  expect(contains(prefixOf("10.0.0.0/8"), "10.255.255.255")).toBe(true);
  expect(contains(prefixOf("10.0.0.0/8"), "11.0.0.0")).toBe(false);
});
