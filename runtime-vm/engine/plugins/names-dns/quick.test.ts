import dns from "dns-packet";
import { expect, test } from "vitest";
import type { Lookup } from "#core/networks/names.ts";
import { bytesMaxOf, decodeQuery, encodeAnswer, localAnswer } from "./answer.ts";
import { quickAnswer } from "./quick.ts";

const many = Array.from({ length: 60 }, (_, i) => `10.0.0.${i}`);
const known: Readonly<Record<string, ReturnType<Lookup["addresses"]>>> = {
  web: { ipv4: ["172.18.0.2", "172.18.0.3"], ipv6: ["fd00::2"] },
  "web_1.shop-net": { ipv4: ["172.18.0.4"], ipv6: [] },
  many: { ipv4: many, ipv6: [] },
};
const lookup: Lookup = { addresses: (name) => known[name], pointer: () => undefined };

const ask = (name: string, type: dns.RecordType, more: Partial<dns.Packet> = {}): Buffer =>
  dns.encode({ type: "query", id: 7, flags: dns.RECURSION_DESIRED, questions: [{ type, name }], ...more });
const opt = (udpPayloadSize: number) =>
  ({ additionals: [{ type: "OPT", name: ".", udpPayloadSize, flags: 0, options: [] } as unknown as dns.Answer] }) satisfies Partial<dns.Packet>;

/** What a client reads; the order of addresses is any. */
function readOf(reply: Uint8Array) {
  const { answers = [], ...rest } = dns.decode(Buffer.from(reply));
  return { ...rest, answers: answers.map((answer) => JSON.stringify(answer)).toSorted() };
}
function slowly(message: Buffer): Uint8Array {
  const query = decodeQuery(message);
  if (query === undefined) throw new Error("not a query");
  return encodeAnswer(query, localAnswer(query, lookup) ?? [], bytesMaxOf(query, "udp"));
}

const cases: Readonly<Record<string, Buffer>> = {
  "an address": ask("web", "A"),
  "an address of the other family": ask("web", "AAAA"),
  "a name in capitals": ask("WeB", "A"),
  "a name of two labels": ask("web_1.shop-net", "A"),
  "an address it has not": ask("web_1.shop-net", "AAAA"),
  "without recursion": ask("web", "A", { flags: 0 }),
  "with a larger datagram": ask("many", "A", opt(4_096)),
  "with a smaller datagram than there is": ask("web", "A", opt(100)),
};
test.for(Object.entries(cases))("%s is answered as by the general way", ([, message]) => {
  const quick = quickAnswer(message, lookup);
  expect(quick && readOf(quick)).toEqual(readOf(slowly(message)));
});

const left: Readonly<Record<string, Buffer>> = {
  "another's name": ask("example.org", "A"),
  "another type": ask("web", "MX"),
  "another class": ask("web", "A", { questions: [{ type: "A", name: "web", class: "CH" }] }),
  "two questions": ask("web", "A", { questions: [1, 2].map(() => ({ type: "A", name: "web" })) }),
  "the root": ask(".", "A"),
  "more addresses than a datagram holds": ask("many", "A"),
  "a name with a dot in its label": Buffer.from(ask("web.", "A").toString("latin1").replace("\x03web", "\x03w.b"), "latin1"),
  "an answer": dns.encode({ type: "response", id: 7, questions: [{ type: "A", name: "web" }] }),
  nothing: Buffer.alloc(0),
};
test.for(Object.entries(left))("%s is left to the general way", ([, message]) => {
  expect(quickAnswer(message, lookup)).toBeUndefined();
});

test("no cut and no changed byte of a question breaks it", () => {
  const message = ask("web_1.shop-net", "A", opt(1_232));
  for (let length = 0; length < message.length; length += 1) expect(() => quickAnswer(message.subarray(0, length), lookup)).not.toThrow();
  const changed = Array.from({ length: message.length * 256 }, (_, i) => {
    const copy = Buffer.from(message);
    copy[i >> 8] = i & 0xff;
    return copy;
  });
  const answered = changed.flatMap((question) => {
    const reply = quickAnswer(question, lookup);
    return reply === undefined ? [] : [{ asked: question.readUInt16BE(0), answered: readOf(reply).id }];
  });
  expect(answered.length).toBeGreaterThan(512);
  expect(answered.filter(({ asked, answered }) => asked !== answered)).toEqual([]);
});
