import { expect, test } from "vitest";
import { prefixOf } from "#core/networks/address.ts";
import type { BridgeNetwork } from "#core/networks/driver.ts";
import { rulesText } from "./rules.ts";

const network = (more: Partial<BridgeNetwork>): BridgeNetwork => ({
  id: "1",
  bridge: "br-one",
  mac: "02:42:00:00:00:01",
  mtu: 1500,
  subnets: [{ subnet: prefixOf("172.18.0.0/16"), gateway: "172.18.0.1" }],
  internal: false,
  masquerade: true,
  icc: true,
  ...more,
});

test("no networks leave no table", () => {
  expect(rulesText([])).toBe("add table inet slipway\ndelete table inet slipway\n");
});

test("each bridge lets only answers in and hides its subnets outside", () => {
  const text = rulesText([
    network({
      subnets: [
        { subnet: prefixOf("172.18.0.0/16"), gateway: "" },
        { subnet: prefixOf("fd00:1::/64"), gateway: "" },
      ],
    }),
  ]);
  expect(text).toContain('iifname != "br-one" oifname "br-one" ct state established,related accept\n    iifname != "br-one" oifname "br-one" drop');
  expect(text).toContain('ip saddr 172.18.0.0/16 oifname != "br-one" masquerade');
  expect(text).toContain('ip6 saddr fd00:1::/64 oifname != "br-one" masquerade');
});

test("an internal network has no way in or out and no masquerading", () => {
  const text = rulesText([network({ internal: true })]);
  expect(text).toContain('iifname "br-one" oifname != "br-one" drop');
  expect(text).not.toContain("accept\n    iifname");
  expect(text).not.toContain("masquerade");
});

test("what stands for the host around a VM is out of reach before anything else is let through", () => {
  const text = rulesText([network({})], { forbidden: [prefixOf("10.0.2.0/24")], resolver: "10.0.2.3" });
  expect(text.indexOf('iifname "br-one" oifname != "br-one" ip daddr 10.0.2.0/24 reject')).toBeLessThan(text.indexOf("ct state established"));
  expect(text).toContain('iifname "br-one" oifname != "br-one" ip daddr 10.0.2.0/24 reject');
});

test("with the VM's own network only its resolver can be asked, with or without networks, and one address leads to the machine around", () => {
  const around = { forbidden: [prefixOf("10.0.2.0/24"), prefixOf("fec0::/64")], resolver: "10.0.2.3", gateway: { address: "192.168.65.254", port: 4_000 } };
  const text = rulesText([], around);
  expect(text.indexOf("ip daddr 10.0.2.3 meta l4proto { tcp, udp } th dport 53 accept")).toBeLessThan(text.indexOf("ip daddr 10.0.2.0/24 reject"));
  expect(text).toContain("ip6 daddr fec0::/64 reject");
  expect(text).toContain("ip daddr 192.168.65.254 meta l4proto tcp tproxy ip to 192.168.65.254:4000 accept");
});
