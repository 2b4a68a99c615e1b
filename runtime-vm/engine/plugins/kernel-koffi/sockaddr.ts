import { isIPv4, isIPv6 } from "node:net";
import { EngineError } from "#base/errors.ts";

const AF = { INET: 2, INET6: 10 } as const;

/** struct sockaddr_in or sockaddr_in6 of a literal address (no zone). */
export function sockaddr(address: string, port: number): Buffer {
  if (isIPv4(address)) {
    const name = Buffer.alloc(16);
    name.writeUInt16LE(AF.INET, 0);
    name.writeUInt16BE(port, 2);
    name.set(address.split(".").map(Number), 4);
    return name;
  }
  if (!isIPv6(address) || address.includes("%")) throw new EngineError("invalidArgument", `not an IP address: ${JSON.stringify(address)}`);
  const name = Buffer.alloc(28);
  name.writeUInt16LE(AF.INET6, 0);
  name.writeUInt16BE(port, 2);
  name.set(parseIPv6(address), 8);
  return name;
}

/** The port of either kind of sockaddr. */
export const decodePort = (name: Buffer): number => name.readUInt16BE(2);

/** Sixteen bytes of a valid IPv6 literal, `::` and a dotted tail included. */
export function parseIPv6(address: string): Buffer {
  const words = (text: string): number[] =>
    text === ""
      ? []
      : text.split(":").flatMap((part) => {
          if (!part.includes(".")) return [Number.parseInt(part, 16)];
          const [a = 0, b = 0, d = 0, e = 0] = part.split(".").map(Number);
          return [a * 256 + b, d * 256 + e];
        });
  const [head = "", tail] = address.split("::");
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = tail === undefined ? left : [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  const bytes = Buffer.alloc(16);
  for (const [i, word] of all.entries()) bytes.writeUInt16BE(word, i * 2);
  return bytes;
}
