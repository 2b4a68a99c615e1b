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
  foreign: false,
  modes: { 4: "nat", 6: "nat" },
  hostAddresses: {},
  trusted: [],
  ...more,
});

test("no networks leave no table", () => {
  expect(rulesText({ networks: [] })).toBe("add table inet slipway\ndelete table inet slipway\n");
});

test("each bridge lets only answers in and hides its subnets outside", () => {
  const text = rulesText({
    networks: [
      network({
        subnets: [
          { subnet: prefixOf("172.18.0.0/16"), gateway: "" },
          { subnet: prefixOf("fd00:1::/64"), gateway: "" },
        ],
      }),
    ],
  });
  expect(text).toContain('meta nfproto ipv4 iifname != "br-one" oifname "br-one" ct state established,related accept');
  expect(text).toContain('ip saddr 172.18.0.0/16 oifname != "br-one" masquerade');
  expect(text).toContain('ip6 saddr fd00:1::/64 oifname != "br-one" masquerade');
});

test("an internal network has no way in or out and no masquerading", () => {
  const text = rulesText({ networks: [network({ internal: true })] });
  expect(text).toContain('iifname "br-one" oifname != "br-one" drop');
  expect(text).not.toContain("accept\n    iifname");
  expect(text).not.toContain("masquerade");
});

test("what stands for the host around a VM is out of reach before anything else is let through", () => {
  const text = rulesText({ networks: [network({})], around: { forbidden: [prefixOf("10.0.2.0/24")], resolver: "10.0.2.3" } });
  expect(text.indexOf('iifname "br-one" oifname != "br-one" ip daddr 10.0.2.0/24 reject')).toBeLessThan(text.indexOf("ct state established"));
  expect(text).toContain('iifname "br-one" oifname != "br-one" ip daddr 10.0.2.0/24 reject');
});

test("with the VM's own network only its resolver can be asked, with or without networks, and one address leads to the machine around", () => {
  const around = { forbidden: [prefixOf("10.0.2.0/24"), prefixOf("fec0::/64")], resolver: "10.0.2.3", gateway: { address: "192.168.65.254", port: 4_000 } };
  const text = rulesText({ networks: [], around });
  expect(text.indexOf("ip daddr 10.0.2.3 meta l4proto { tcp, udp } th dport 53 accept")).toBeLessThan(text.indexOf("ip daddr 10.0.2.0/24 reject"));
  expect(text).toContain("ip6 daddr fec0::/64 reject");
  expect(text).toContain("ip daddr 192.168.65.254 meta l4proto tcp tproxy ip to 192.168.65.254:4000 accept");
});

test("families without rules are left alone, and what is published straight to containers is told apart by address", () => {
  const port = { proto: "tcp", address: "172.18.0.2", port: 80 } as const;
  const ports = [
    { ...port, at: { address: "0.0.0.0", port: 8080 } },
    { ...port, at: { address: "127.0.0.1", port: 8081 } },
    { ...port, at: { address: "::", port: 8080 } },
    { ...port, proto: "udp", at: { address: "0.0.0.0", port: 53 } },
  ] as const;
  const text = rulesText({ networks: [network({})], ports });
  expect(text).toContain("add element inet slipway any4 { tcp . 8080 : 172.18.0.2 . 80 }");
  expect(text).toContain("add element inet slipway at4 { 127.0.0.1 . 8081 : 172.18.0.2 . 80 }");
  expect(text).toContain("add element inet slipway open4 { 172.18.0.2 . udp . 80 }");
  expect(text).not.toContain(" 53 :");
  expect(rulesText({ networks: [network({})], ports, policy: { iptables: false } })).not.toMatch(/ipv4|172\.18/);
});

test("gateway modes say what may come in, and whether what goes out is hidden", () => {
  const inwards = 'meta nfproto ipv4 iifname != "br-one" oifname "br-one"';
  const open = `${inwards} ip daddr . meta l4proto . th dport @open4 accept`;
  const routed = rulesText({ networks: [network({ modes: { 4: "routed", 6: "nat" } })] });
  expect(routed).toContain(open);
  expect(routed).toContain(`${inwards} meta l4proto icmp accept`);
  expect(routed).not.toContain("masquerade");
  expect(rulesText({ networks: [network({ modes: { 4: "nat-unprotected", 6: "nat" } })] })).toContain(`${inwards} accept`);
  expect(rulesText({ networks: [network({})] })).not.toContain(open);
  expect(rulesText({ networks: [network({ trusted: ["eth1"] })] })).toContain(`${inwards} iifname "eth1" ip daddr . meta l4proto . th dport @open4 accept`);
  expect(rulesText({ networks: [network({ hostAddresses: { 4: "10.1.1.1" } })] })).toContain('oifname != "br-one" snat ip to 10.1.1.1');
});

test("answers to the machine around a VM are let out before its addresses are refused, and what there is much of goes the short way", () => {
  const forbidden = [prefixOf("10.0.2.0/24")];
  const router = { address: "10.0.2.2", interface: "eth0" };
  const text = rulesText({ networks: [network({})], around: { forbidden, router: { ...router, flowTable: true } } });
  const out = 'iifname "br-one" oifname != "br-one"';
  const order = [
    "reset tcp option maxseg",
    "meta length > 9000 flow add @bulk",
    `${out} ct direction reply ct status dnat accept`,
    "ip daddr 10.0.2.0/24 reject",
  ];
  const forward = text.slice(text.indexOf("chain forward"));
  expect(order.map((rule) => forward.indexOf(rule))).toEqual(order.map((rule) => forward.indexOf(rule)).toSorted((a, b) => a - b));
  expect(order.filter((rule) => !forward.includes(rule))).toEqual([]);
  expect(text).toContain('flowtable bulk {\n    hook ingress priority filter; devices = { "eth0", "br-one" };');
  expect(text).toContain('oifname "br-one" ip saddr 10.0.2.0/24 masquerade');
  expect(rulesText({ networks: [network({})], around: { forbidden, router } })).not.toMatch(/bulk|flow add/);
  expect(rulesText({ networks: [], around: { forbidden, router: { ...router, flowTable: true } } })).not.toMatch(/flowtable|strays/);
});
