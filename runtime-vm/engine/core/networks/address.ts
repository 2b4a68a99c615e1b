/** IP addresses and prefixes as numbers: one code for both families. Text is parsed once, here. */
import { isIPv4, SocketAddress } from "node:net";
import { EngineError } from "#base/errors.ts";

export type Family = 4 | 6;

export interface Prefix {
  readonly family: Family;
  /** First address, host bits zero. */
  readonly base: bigint;
  readonly length: number;
}

export const familyOf = (address: string): Family | undefined => (isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined);

/** Without a zone. Node's own function compiles a pattern at its first use, which every start of the engine would wait 10 ms for. */
function isIPv6(address: string): boolean {
  if (!address.includes(":") || address.includes("%")) return false;
  try {
    return new SocketAddress({ address, family: "ipv6" }).family === "ipv6";
  } catch {
    return false;
  }
}

/** The value of an address that `familyOf` knows. */
export function addressValue(address: string): bigint {
  const bytes = addressBytes(address);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Four or sixteen bytes in network order. */
export function addressBytes(address: string): Uint8Array {
  switch (familyOf(address)) {
    case 4:
      return Uint8Array.from(address.split(".").map(Number));
    case 6:
      return bytesOfIPv6(address);
    case undefined:
      throw new EngineError("invalidArgument", `not an IP address: ${JSON.stringify(address)}`);
  }
}

function bytesOfIPv6(address: string): Uint8Array {
  const [head = "", tail] = address.split("::");
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function words(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The usual text of an address: dotted, or RFC 5952 (lower case, the longest run of zeros as `::`). */
export function addressText(family: Family, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const parts = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(16 * (7 - i))) & 0xffffn).toString(16));
  const run = longestZeros(parts);
  if (run.length < 2) return parts.join(":");
  return `${parts.slice(0, run.start).join(":")}::${parts.slice(run.start + run.length).join(":")}`;
}

function longestZeros(parts: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < parts.length; start += 1) {
    let length = 0;
    while (parts[start + length] === "0") length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}

const bits = (family: Family): number => (family === 4 ? 32 : 128);
export const sizeOf = (prefix: Prefix): bigint => 1n << BigInt(bits(prefix.family) - prefix.length);
export const lastOf = (prefix: Prefix): bigint => prefix.base + sizeOf(prefix) - 1n;
export const prefixText = (prefix: Prefix): string => `${addressText(prefix.family, prefix.base)}/${prefix.length}`;
export const containsValue = (prefix: Prefix, value: bigint): boolean => value >= prefix.base && value <= lastOf(prefix);
export const contains = (prefix: Prefix, address: string): boolean => familyOf(address) === prefix.family && containsValue(prefix, addressValue(address));
export const overlaps = (a: Prefix, b: Prefix): boolean => a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a);

/** `10.1.2.3/24` with the address kept; undefined when it is no prefix. */
export function parseCidr(text: string): { prefix: Prefix; address: string } | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const family = familyOf(address);
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > bits(family)) return undefined;
  const host = BigInt(bits(family) - Number(length));
  const base = (addressValue(address) >> host) << host;
  return { prefix: { family, base, length: Number(length) }, address };
}

/** A prefix known to be one (configuration that was validated, our own records). */
export function prefixOf(text: string): Prefix {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new EngineError("internal", `not an IP prefix: ${JSON.stringify(text)}`);
  return parsed.prefix;
}
