import { closeSync } from "node:fs";
import { isIPv6 } from "node:net";
import { KernelError, type DatagramSocket, type Sockets } from "#core/kernel/kernel.ts";
import { c, check, nft as lib } from "./libc.ts";
import { withLowDescriptors } from "./low-descriptors.ts";
import { namespaces } from "./namespaces.ts";
import { NetlinkSocket } from "./netlink.ts";
import { decodePort, sockaddr, unixAddress } from "./sockaddr.ts";

const AF = { UNIX: 1, INET: 2, INET6: 10 } as const;
const SOCK = { STREAM: 1, DGRAM: 2, NONBLOCK: 0o4000, CLOEXEC: 0o2000000 } as const;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IP = 0;
const IP_TRANSPARENT = 19;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

export const sockets: Sockets = {
  boundSocket({ kind, address, port, transparent = false }) {
    const object = `${address}:${port}/${kind}`;
    const v6 = isIPv6(address);
    const type = (kind === "tcp" ? SOCK.STREAM : SOCK.DGRAM) | SOCK.NONBLOCK | SOCK.CLOEXEC;
    const fd = check(c.socket(v6 ? AF.INET6 : AF.INET, type, 0), "socket", object);
    try {
      if (kind === "tcp") setOption(fd, SOL_SOCKET, SO_REUSEADDR, object);
      if (v6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, object);
      if (transparent) setOption(fd, IPPROTO_IP, IP_TRANSPARENT, object);
      const name = sockaddr(address, port);
      check(c.bind(fd, name, name.length), "bind", object);
      return { fd, port: port === 0 ? boundPort(fd, object) : port };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  },

  connectDatagram: (path) => new ConnectedDatagram(path),

  rtnetlink(netns) {
    return netns === undefined ? new NetlinkSocket() : namespaces.inNetns(netns, () => new NetlinkSocket());
  },

  // libnftables waits for its socket by select(2).
  nft: (commands) => withLowDescriptors(() => runNft(commands)),
};

function runNft(commands: string): string {
  const context = lib.newContext(0);
  try {
    lib.bufferOutput(context);
    lib.bufferError(context);
    if (lib.run(context, commands) !== 0) throw nftError(lib.error(context));
    return lib.output(context);
  } finally {
    lib.free(context);
  }
}

class ConnectedDatagram implements DatagramSocket {
  readonly #fd: number;
  readonly #path: string;

  constructor(path: string) {
    const name = unixAddress(path);
    this.#path = path;
    this.#fd = check(c.socket(AF.UNIX, SOCK.DGRAM | SOCK.NONBLOCK | SOCK.CLOEXEC, 0), "socket", path);
    try {
      check(c.connect(this.#fd, name, name.length), "connect", path);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  send(bytes: Uint8Array): void {
    check(c.send(this.#fd, bytes, bytes.length, MSG_NOSIGNAL), "send to", this.#path);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function setOption(fd: number, level: number, option: number, object: string): void {
  const one = Buffer.from([1, 0, 0, 0]);
  check(c.setsockopt(fd, level, option, one, one.length), `set socket option ${level}/${option} of`, object);
}

function boundPort(fd: number, object: string): number {
  const name = Buffer.alloc(28);
  const length = Buffer.from([28, 0, 0, 0]);
  check(c.getsockname(fd, name, length), "getsockname", object);
  return decodePort(name);
}

/** nft's own words; the code is what its strerror text stands for. */
function nftError(text: string): KernelError {
  const codes = { "No such file or directory": "ENOENT", "File exists": "EEXIST", "Device or resource busy": "EBUSY", "Operation not permitted": "EPERM" };
  const code = Object.entries(codes).find(([words]) => text.includes(words))?.[1] ?? "EINVAL";
  return new KernelError("nft", text.trim(), code);
}
