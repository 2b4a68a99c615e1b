import { expect, test } from "vitest";
import { overlayOptions, mountPoints } from "./mounts.ts";
import { decodePort, sockaddr } from "./sockaddr.ts";

test("an IPv4 socket address has the port in network order", () => {
  expect(sockaddr("127.0.0.11", 53).toString("hex")).toBe("020000357f00000b0000000000000000");
  expect(decodePort(sockaddr("1.2.3.4", 65535))).toBe(65535);
});

test("an IPv6 socket address has its sixteen bytes after the flow label", () => {
  expect(sockaddr("2001:db8::1", 80).toString("hex")).toBe("0a0000500000000020010db800000000000000000000000100000000");
});

test.each(["", "localhost", "1.2.3", "fe80::1%eth0"])("%j is no address", (text) => {
  expect(() => sockaddr(text, 1)).toThrow("not an IP address");
});

test("overlay options escape what overlay splits at", () => {
  expect(overlayOptions({ target: "/t", lower: [], upper: "/u,", work: "/w:" }, ["/a:b", "/c\\"])).toBe(
    "lowerdir=/a\\:b:/c\\\\,upperdir=/u\\,,workdir=/w\\:,redirect_dir=off,metacopy=off,index=off",
  );
});

test("mountinfo's octal escapes are undone", () => {
  expect(mountPoints("36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw\n")).toEqual(["/mnt two"]);
});
