import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { finished } from "node:stream/promises";
import type { DecodedPacket } from "dns-packet";
import type { Kernel } from "#core/kernel/kernel.ts";
import { INTERNAL_RESOLVER } from "#core/networks/files.ts";
import type { Lookup, NameService } from "#core/networks/names.ts";
import { bytesMaxOf, decodeQuery, encodeAnswer, encodeFailure, localAnswer } from "./answer.ts";
import { type Resolver, serverResolver, type Transport } from "./forward.ts";
import { frame, MessageReader } from "./framing.ts";
import { quickAnswer } from "./quick.ts";

export interface DnsOptions {
  readonly kernel: Kernel;
  /** Asked for names that are not ours by containers without resolvers of their own. */
  readonly fallback: Resolver;
}

/** Queries of one sandbox passed on at a time; past it they fail at once instead of piling up. */
const FORWARDS_MAX = 256;
const TCP_CLIENTS_MAX = 64;
const TCP_IDLE_MS_MAX = 10_000;

/**
 * The resolver inside containers. Its sockets are made in the container's namespace on a free port, and nft there
 * redirects 127.0.0.11:53 to them: so a container can itself serve DNS on 0.0.0.0:53. They are served from here, and who
 * asks is known by the socket. Open sockets keep a namespace alive: dispose before the sandbox is removed.
 */
export class DnsService implements NameService {
  readonly #options: DnsOptions;

  constructor(options: DnsOptions) {
    this.#options = options;
  }

  async serve({ netns, lookup, upstreams }: Parameters<NameService["serve"]>[0]): Promise<AsyncDisposable> {
    const { kernel } = this.#options;
    const asked = serverResolver(() => upstreams() ?? []);
    const resolver: Resolver = (...query) => (upstreams() === undefined ? this.#options.fallback : asked)(...query);
    const { udp, tcp } = kernel.inNetns(netns, () => {
      const sockets = {
        udp: kernel.boundSocket({ kind: "udp", address: INTERNAL_RESOLVER, port: 0 }),
        tcp: kernel.boundSocket({ kind: "tcp", address: INTERNAL_RESOLVER, port: 0 }),
      };
      kernel.nft(redirectText(sockets.udp.port, sockets.tcp.port));
      return sockets;
    });
    return new Resolving(lookup, resolver, udp.fd, tcp.fd);
  }
}

const TABLE = "slipway_dns";

/** Replaces an earlier engine's redirection too. dnat and not redirect: that would change the address to 127.0.0.1. */
export const redirectText = (udpPort: number, tcpPort: number): string => `add table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${INTERNAL_RESOLVER} udp dport 53 dnat to ${INTERNAL_RESOLVER}:${udpPort}
    ip daddr ${INTERNAL_RESOLVER} tcp dport 53 dnat to ${INTERNAL_RESOLVER}:${tcpPort}
  }
}
`;

/** Who asked is known by address: no resolver has to be asked where the answer goes. */
const asItIs = (address: string, _options: object, callback: (error: null, address: string, family: number) => void): void => callback(null, address, 4);

const ignored = (): void => {};

/** One sandbox's sockets; both close when disposed. */
class Resolving implements AsyncDisposable {
  readonly #lookup: Lookup;
  readonly #resolver: Resolver;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Set<Socket>();
  readonly #end = new AbortController();
  #forwards = 0;

  constructor(lookup: Lookup, resolver: Resolver, udpFd: number, tcpFd: number) {
    this.#lookup = lookup;
    this.#resolver = resolver;
    this.#udp = createSocket({ type: "udp4", lookup: asItIs }, (message, from) => {
      const quick = quickAnswer(message, lookup);
      if (quick !== undefined) return this.#udp.send(quick, from.port, from.address, ignored);
      return this.#answer(message, "udp", (reply) => this.#udp.send(reply, from.port, from.address, ignored));
    });
    this.#udp.on("error", () => {});
    this.#udp.bind({ fd: udpFd });
    this.#tcp = createServer((client) => void this.#converse(client));
    this.#tcp.maxConnections = TCP_CLIENTS_MAX;
    this.#tcp.on("error", () => {});
    this.#tcp.listen({ fd: tcpFd });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    for (const client of this.#clients) client.destroy();
    await Promise.all([new Promise<void>((resolve) => this.#udp.close(() => resolve())), new Promise<void>((resolve) => this.#tcp.close(() => resolve()))]);
  }

  /** What is ours is answered before this returns. */
  #answer(message: Uint8Array, transport: Transport, reply: (answer: Uint8Array) => void): void {
    const query = decodeQuery(message);
    if (query === undefined) return;
    const own = localAnswer(query, this.#lookup);
    if (own !== undefined) return reply(encodeAnswer(query, own, bytesMaxOf(query, transport)));
    void this.#forward(query, message, transport).then((answer) => {
      if (!this.#end.signal.aborted) reply(answer);
    });
  }

  async #forward(query: DecodedPacket, message: Uint8Array, transport: Transport): Promise<Uint8Array> {
    if (this.#forwards >= FORWARDS_MAX) return encodeFailure(query);
    this.#forwards += 1;
    try {
      return await this.#resolver(message, transport, this.#end.signal);
    } catch {
      return encodeFailure(query);
    } finally {
      this.#forwards -= 1;
    }
  }

  async #converse(client: Socket): Promise<void> {
    this.#clients.add(client);
    client.setTimeout(TCP_IDLE_MS_MAX, () => client.destroy());
    const reader = new MessageReader();
    client.on("data", (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        this.#answer(message, "tcp", (reply) => {
          if (client.writable) client.write(frame(reply));
        });
      }
    });
    try {
      await finished(client);
    } catch {
      // A client that breaks off is nobody's concern.
    } finally {
      this.#clients.delete(client);
    }
  }
}
