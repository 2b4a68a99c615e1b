import dns from "dns-packet";
import { expect, test } from "vitest";
import type { Lookup } from "#core/networks/names.ts";
import { addressOfPointer, decodeQuery, encodeAnswer, encodeFailure, isFailure, localAnswer, udpBytesMax } from "./answer.ts";
import { frame, MessageReader } from "./framing.ts";
import { redirectText } from "./server.ts";

const lookup: Lookup = {
  addresses: (name) => (name === "web" ? { ipv4: ["172.18.0.2", "172.18.0.3"], ipv6: [] } : undefined),
  pointer: (address) => (address === "172.18.0.2" || address === "fd00::2" ? "web.net" : undefined),
};

const ask = (name: string, type: dns.RecordType, more: Partial<dns.Packet> = {}) => {
  const query = decodeQuery(dns.encode({ type: "query", id: 7, flags: dns.RECURSION_DESIRED, questions: [{ type, name }], ...more }));
  if (query === undefined) throw new Error("not a query");
  return query;
};
const reply = (bytes: Uint8Array) => dns.decode(Buffer.from(bytes));

test("an A query for a container has all its addresses, in any order, under the query's id", () => {
  const query = ask("WEB", "A");
  const answer = reply(encodeAnswer(query, localAnswer(query, lookup) ?? []));
  expect(answer.id).toBe(7);
  expect(answer.flag_ra && answer.flag_rd).toBe(true);
  expect(answer.answers?.map((a) => (a as dns.StringAnswer).data).toSorted()).toEqual(["172.18.0.2", "172.18.0.3"]);
  expect(answer.answers?.[0]?.name).toBe("WEB");
});

test("both orders of two addresses occur", () => {
  const query = ask("web", "A");
  const firsts = new Set(Array.from({ length: 64 }, () => JSON.stringify(localAnswer(query, lookup)?.[0])));
  expect(firsts.size).toBe(2);
});

test("a container's name has no AAAA or MX elsewhere: the answer is empty, not passed on", () => {
  for (const type of ["AAAA", "MX"] as const) expect(localAnswer(ask("web", type), lookup)).toEqual([]);
});

test("unknown names and other classes are passed on", () => {
  expect(localAnswer(ask("example.org", "A"), lookup)).toBeUndefined();
  expect(localAnswer(ask("9.9.9.9.in-addr.arpa", "PTR"), lookup)).toBeUndefined();
  expect(localAnswer(ask("web", "A", { questions: [{ type: "A", name: "web", class: "CH" }] }), lookup)).toBeUndefined();
});

test("addresses have names", () => {
  expect(localAnswer(ask("2.0.18.172.in-addr.arpa", "PTR"), lookup)).toMatchObject([{ type: "PTR", data: "web.net" }]);
  const v6 = `2.${"0.".repeat(28)}d.f.ip6.arpa`.replace("0.d.f", "0.0.d.f");
  expect(addressOfPointer(v6)).toBe("fd00::2");
  expect(addressOfPointer("1.2.3.in-addr.arpa")).toBeUndefined();
});

test("an answer too long for UDP is cut and marked; EDNS says what is too long", () => {
  const query = ask("web", "A");
  const many = Array.from({ length: 60 }, (_, i) => ({ type: "A" as const, name: "web", ttl: 1, data: `10.0.0.${i}` }));
  const cut = reply(encodeAnswer(query, many, udpBytesMax(query)));
  expect([cut.flag_tc, cut.answers?.length]).toEqual([true, 0]);
  const opt = { type: "OPT" as const, name: ".", udpPayloadSize: 4096, flags: 0, options: [] } as unknown as dns.Answer;
  expect(udpBytesMax(ask("web", "A", { additionals: [opt] }))).toBe(4096);
});

test("failures are told from answers", () => {
  const query = ask("x", "A");
  expect(isFailure(encodeFailure(query))).toBe(true);
  expect(isFailure(encodeAnswer(query, []))).toBe(false);
  expect(isFailure(Buffer.alloc(3))).toBe(true);
});

test("noise and responses are no queries", () => {
  expect(decodeQuery(Buffer.from("hello"))).toBeUndefined();
  expect(decodeQuery(Buffer.alloc(0))).toBeUndefined();
  expect(decodeQuery(encodeFailure(ask("x", "A")))).toBeUndefined();
});

test("messages are cut out of a TCP stream however it is split", () => {
  const stream = Buffer.concat([frame(Buffer.from("one")), frame(Buffer.from("three"))]);
  const reader = new MessageReader();
  const found = [...stream].flatMap((byte) => reader.push(Uint8Array.of(byte)).map((m) => Buffer.from(m).toString()));
  expect(found).toEqual(["one", "three"]);
});

test("the redirection keeps the resolver's address and replaces what was there", () => {
  expect(redirectText(1053, 2053)).toContain("udp dport 53 dnat to 127.0.0.11:1053\n    ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:2053");
  expect(redirectText(1, 2)).toMatch(/^add table ip slipway_dns\ndelete table ip slipway_dns\n/);
});
