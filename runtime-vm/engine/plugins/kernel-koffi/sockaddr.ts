import { addressBytes } from "#core/networks/address.ts";

const AF = { INET: 2, INET6: 10 } as const;

/** struct sockaddr_in or sockaddr_in6 of a literal address (no zone). */
export function sockaddr(address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  const v4 = bytes.length === 4;
  const name = Buffer.alloc(v4 ? 16 : 28);
  name.writeUInt16LE(v4 ? AF.INET : AF.INET6, 0);
  name.writeUInt16BE(port, 2);
  name.set(bytes, v4 ? 4 : 8);
  return name;
}

/** The port of either kind of sockaddr. */
export const decodePort = (name: Buffer): number => name.readUInt16BE(2);
