/** DNS messages (RFC 1035): what we answer ourselves, and what is passed on. */
import dns, { type Answer, type DecodedPacket, type Question } from "dns-packet";
import { addressText } from "#core/networks/address.ts";
import type { Lookup } from "#core/networks/names.ts";

/** dockerd's. */
export const TTL_SECONDS = 600;
/** A UDP answer without EDNS is no longer than this; the client then asks again by TCP. */
export const UDP_BYTES_DEFAULT = 512;

const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
export type Rcode = keyof typeof RCODE;
const RCODE_MASK = 0x000f;

export function decodeQuery(message: Uint8Array): DecodedPacket | undefined {
  try {
    const query = dns.decode(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    return query.type === "query" ? query : undefined;
  } catch {
    return undefined;
  }
}

/** The answer to a query for a name that is ours; undefined: pass it on. */
export function localAnswer(query: DecodedPacket, lookup: Lookup): Answer[] | undefined {
  const [question, ...more] = query.questions ?? [];
  if (question === undefined || more.length > 0 || (question.class ?? "IN") !== "IN") return undefined;
  return question.type === "PTR" ? pointerAnswer(question, lookup) : addressAnswer(question, lookup);
}

/** A name of ours has no records but its addresses: other types get an empty answer, never another resolver's. */
function addressAnswer(question: Question, lookup: Lookup): Answer[] | undefined {
  const found = lookup.addresses(question.name.toLowerCase().replace(/\.$/, ""));
  if (found === undefined) return undefined;
  const wanted = question.type === "A" ? found.ipv4 : question.type === "AAAA" ? found.ipv6 : [];
  return shuffled(wanted).map((data) => ({ type: question.type as "A" | "AAAA", name: question.name, ttl: TTL_SECONDS, data }));
}

function pointerAnswer(question: Question, lookup: Lookup): Answer[] | undefined {
  const address = addressOfPointer(question.name);
  const data = address === undefined ? undefined : lookup.pointer(address);
  return data === undefined ? undefined : [{ type: "PTR", name: question.name, ttl: TTL_SECONDS, data }];
}

/** `2.0.18.172.in-addr.arpa`, or 32 nibbles under ip6.arpa. */
export function addressOfPointer(name: string): string | undefined {
  const lower = name.toLowerCase().replace(/\.$/, "");
  const v4 = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(lower)?.[1];
  if (v4 !== undefined) return v4.split(".").slice(0, 4).toReversed().join(".");
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(lower)?.[1];
  return v6 === undefined ? undefined : addressText(6, BigInt(`0x${v6.split(".").toReversed().join("")}`));
}

/** Round robin without state: every order is as likely. */
export function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

/** `bytesMax`: the transport's limit; past it the answer is cut and marked so. */
export function encodeAnswer(query: DecodedPacket, answers: Answer[], bytesMax = Number.POSITIVE_INFINITY, rcode: Rcode = "NOERROR"): Uint8Array {
  const whole = encodeReply(query, RCODE[rcode], answers, 0);
  return whole.length <= bytesMax ? whole : encodeReply(query, RCODE[rcode], [], dns.TRUNCATED_RESPONSE);
}

export const encodeFailure = (query: DecodedPacket): Uint8Array => encodeReply(query, RCODE.SERVFAIL, [], 0);

function encodeReply(query: DecodedPacket, rcode: number, answers: Answer[], flags: number): Uint8Array {
  const asked = (query.flags ?? 0) & dns.RECURSION_DESIRED;
  return dns.encode({ type: "response", id: query.id ?? 0, flags: asked | dns.RECURSION_AVAILABLE | flags | rcode, questions: query.questions ?? [], answers });
}

/** The most bytes an answer may have on its way back. */
export const bytesMaxOf = (query: DecodedPacket, transport: "udp" | "tcp"): number => (transport === "udp" ? udpBytesMax(query) : 65_535);

/** How long a UDP answer this client takes: what its EDNS record says. */
export function udpBytesMax(query: DecodedPacket): number {
  const opt = query.additionals?.find((record) => record.type === "OPT");
  return Math.max(UDP_BYTES_DEFAULT, opt?.udpPayloadSize ?? 0);
}

/** Whether another resolver should be asked instead: this one fails or refuses. */
export function isFailure(reply: Uint8Array): boolean {
  const rcode = (reply[3] ?? 0) & RCODE_MASK;
  return reply.length < 12 || rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED;
}
