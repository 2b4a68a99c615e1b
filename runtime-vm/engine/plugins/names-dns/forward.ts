import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6 } from "node:net";
import { EngineError } from "#base/errors.ts";
import { isFailure } from "./answer.ts";
import { frame, MessageReader } from "./framing.ts";

export type Transport = "udp" | "tcp";

/** Asks the world for what is not ours: a whole DNS query to a whole reply. Rejects when nobody answers. */
export type Resolver = (query: Uint8Array, transport: Transport, signal: AbortSignal) => Promise<Uint8Array>;

/** As resolv.conf's own: this long for one server, then the next. One that was silent is given less for a while: not every name shall take that long. */
const PATIENCE = { serverMsMax: 4_000, silentMsMax: 500, silentWhileMs: 30_000 } as const;
const SERVERS_MAX = 3;

/** Asks each server in turn; the first good reply wins, else the last bad one. */
export function serverResolver(
  servers: () => readonly string[],
  port = 53,
  patience: { readonly [limit in keyof typeof PATIENCE]: number } = PATIENCE,
): Resolver {
  const silentUntil = new Map<string, number>();
  return async (query, transport, signal) => {
    let failure: Uint8Array | undefined;
    let cause: unknown;
    for (const server of servers().slice(0, SERVERS_MAX)) {
      const wasSilent = (silentUntil.get(server) ?? 0) > Date.now();
      const late = AbortSignal.timeout(wasSilent ? patience.silentMsMax : patience.serverMsMax);
      const limit = AbortSignal.any([signal, late]);
      try {
        const reply = transport === "udp" ? await askByUdp(query, server, port, limit) : await askByTcp(query, server, port, limit);
        silentUntil.delete(server);
        if (!isFailure(reply)) return reply;
        failure = reply;
      } catch (error) {
        signal.throwIfAborted();
        if (late.aborted && !wasSilent) silentUntil.set(server, Date.now() + patience.silentWhileMs);
        cause = error;
      }
    }
    if (failure !== undefined) return failure;
    throw new EngineError("unavailable", "no resolver answers", { cause });
  };
}

/** A socket of its own for each query: a port nobody can guess, and an ICMP refusal that is surely ours. */
async function askByUdp(query: Uint8Array, server: string, port: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
  // After the answer nobody listens for errors.
  socket.on("error", () => {});
  try {
    socket.connect(port, server);
    await once(socket, "connect", { signal });
    socket.send(query);
    for (;;) {
      const [reply] = (await once(socket, "message", { signal })) as [Uint8Array];
      if (reply[0] === query[0] && reply[1] === query[1]) return reply;
    }
  } finally {
    socket.close();
  }
}

async function askByTcp(query: Uint8Array, server: string, port: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const socket = connect(port, server);
  const stop = (): void => void socket.destroy(new EngineError("unavailable", `resolver ${server} did not answer`));
  signal.addEventListener("abort", stop, { once: true });
  try {
    socket.write(frame(query));
    const reader = new MessageReader();
    for await (const chunk of socket) for (const reply of reader.push(chunk as Uint8Array)) return reply;
    throw new EngineError("unavailable", `resolver ${server} closed the connection without an answer`);
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}
