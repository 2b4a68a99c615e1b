import { EngineError } from "#base/errors.ts";
import { addressBytes } from "#core/networks/address.ts";

const AF = { UNIX: 1, INET: 2, INET6: 10 } as const;

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

/** The kernel's limit for the path of a unix socket, its closing zero included. */
const unixPathBytesMax = 108;

/** struct sockaddr_un. */
export function unixAddress(path: string): Buffer {
  const bytes = Buffer.from(`${path}\0`);
  if (bytes.length > unixPathBytesMax) throw new EngineError("invalidArgument", `${path}: longer than a unix socket's path may be`);
  const name = Buffer.alloc(2 + bytes.length);
  name.writeUInt16LE(AF.UNIX, 0);
  name.set(bytes, 2);
  return name;
}
