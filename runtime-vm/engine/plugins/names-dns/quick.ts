/**
 * The common question, for an address of a name of ours, answered by its bytes alone (RFC 1035, 4.1): what anything else asks goes
 * through a general decoder, which costs several times as much. Where both answer they answer alike.
 */
import { addressBytes } from "#core/networks/address.ts";
import type { Lookup } from "#core/networks/names.ts";
import { shuffled, TTL_SECONDS, UDP_BYTES_DEFAULT } from "./answer.ts";

const HEAD_BYTES = 12;
const TYPE = { A: 1, AAAA: 28, OPT: 41 } as const;
const CLASS_IN = 1;
const RECURSION_DESIRED = 0x0100;
const RESPONSE_RECURSION_AVAILABLE = 0x8080;
/** The name of the question, where it is written first. */
const POINTER_TO_QUESTION = 0xc0_00 | HEAD_BYTES;

/** undefined: not such a question, not our name, or too long for a datagram. */
export function quickAnswer(message: Buffer, lookup: Lookup): Buffer | undefined {
  const name = nameOf(message);
  if (name === undefined) return undefined;
  const end = HEAD_BYTES + name.length + 2 + 4;
  if (message.length < end || message.readUInt16BE(end - 2) !== CLASS_IN) return undefined;
  const type = message.readUInt16BE(end - 4);
  const bytesMax = datagramBytesMax(message, end);
  if ((type !== TYPE.A && type !== TYPE.AAAA) || bytesMax === undefined) return undefined;
  const found = lookup.addresses(name.toLowerCase());
  if (found === undefined) return undefined;
  const addresses = shuffled(type === TYPE.A ? found.ipv4 : found.ipv6);
  const length = end + addresses.length * (HEAD_BYTES + (type === TYPE.A ? 4 : 16));
  return length > bytesMax ? undefined : encode(message, { end, type, addresses, length });
}

/** Of a query with one question and nothing else but how long an answer may be. Letters, digits, `-` and `_` only. */
function nameOf(message: Buffer): string | undefined {
  if (message.length < HEAD_BYTES + 5 || ((message[2] ?? 0) & 0xf8) !== 0 || message.readUInt16BE(4) !== 1 || message.readUInt32BE(6) !== 0) return undefined;
  let at = HEAD_BYTES;
  for (let left = message[at] ?? 0; left > 0; left = message[at] ?? 0) {
    if (left > 63 || at + left >= message.length) return undefined;
    for (let end = at + left; at < end; ) if (!isPlain(message[(at += 1)] ?? 0)) return undefined;
    at += 1;
  }
  if (at === HEAD_BYTES) return undefined;
  const labels = message.toString("latin1", HEAD_BYTES + 1, at);
  let name = "";
  for (let i = 0, left = message[HEAD_BYTES] ?? 0; i < labels.length; i += 1, left -= 1) {
    if (left > 0) name += labels[i];
    else {
      name += ".";
      left = labels.charCodeAt(i) + 1;
    }
  }
  return name;
}

const isPlain = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d || byte === 0x5f;

/** What the EDNS record (RFC 6891), the only thing that may follow the question, says. */
function datagramBytesMax(message: Buffer, end: number): number | undefined {
  const more = message.readUInt16BE(10);
  if (more === 0) return UDP_BYTES_DEFAULT;
  if (more > 1 || message.length < end + 11 || message[end] !== 0 || message.readUInt16BE(end + 1) !== TYPE.OPT) return undefined;
  return Math.max(UDP_BYTES_DEFAULT, message.readUInt16BE(end + 3));
}

function encode(message: Buffer, what: { end: number; type: number; addresses: readonly string[]; length: number }): Buffer {
  const { end, type, addresses, length } = what;
  const reply = Buffer.allocUnsafe(length);
  message.copy(reply, 0, 0, end);
  reply.writeUInt16BE((message.readUInt16BE(2) & RECURSION_DESIRED) | RESPONSE_RECURSION_AVAILABLE, 2);
  reply.writeUInt16BE(addresses.length, 6);
  reply.writeUInt32BE(0, 8);
  let at = end;
  for (const address of addresses) {
    const bytes = addressBytes(address);
    at = reply.writeUInt16BE(POINTER_TO_QUESTION, at);
    at = reply.writeUInt16BE(type, at);
    at = reply.writeUInt16BE(CLASS_IN, at);
    at = reply.writeUInt32BE(TTL_SECONDS, at);
    at = reply.writeUInt16BE(bytes.length, at);
    reply.set(bytes, at);
    at += bytes.length;
  }
  return reply;
}
