import { expect, test } from "vitest";
import { holdingInodes } from "./port-holder.ts";

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1 0
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 33 1 0
   3: 0201A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 44 1 0`;

test.each<[string, number, string[]]>([
  ["127.0.0.1", 8080, ["11"]],
  ["192.168.1.2", 8080, ["44"]],
  ["0.0.0.0", 8080, ["11", "44"]],
  ["", 8080, ["11", "44"]],
  ["10.0.0.1", 8080, []],
  ["10.0.0.1", 80, ["22"]],
  ["127.0.0.1", 81, []],
])("who listens in the way of %s:%d", (address, port, inodes) => {
  expect(holdingInodes(tcp, "tcp", address, port)).toEqual(inodes);
});

test("a UDP socket that is not connected holds its port", () => {
  const udp = "   7: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 55 2 0";
  expect(holdingInodes(udp, "udp", "127.0.0.1", 5353)).toEqual(["55"]);
  expect(holdingInodes(udp, "tcp", "127.0.0.1", 5353)).toEqual([]);
});
