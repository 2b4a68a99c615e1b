import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure, type ConnectionOptions } from "node:tls";
import { withDeadline } from "#base/deadline.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";

/** Where a stream goes. */
export type Destination =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "tls"; readonly host: string; readonly port: number; readonly tls: ConnectionOptions }
  | { readonly kind: "unix"; readonly path: string; readonly shown: string };

const connectMsMax = 10_000;

/** An open connection. Rejects in Go's words: `dial tcp 127.0.0.1:1: connect: connection refused`. */
export async function dial(to: Destination): Promise<Socket> {
  const name = to.kind === "unix" ? `unix ${to.shown}` : `tcp ${to.host}:${to.port}`;
  try {
    return await withDeadline(connectMsMax, `dial ${name}`, async (signal) => {
      const socket = open(to);
      signal.addEventListener("abort", () => socket.destroy(), { once: true });
      await once(socket, to.kind === "tls" ? "secureConnect" : "connect");
      socket.on("error", () => undefined);
      return socket;
    });
  } catch (error) {
    throw dialError(name, error);
  }
}

function open(to: Destination): Socket {
  switch (to.kind) {
    case "unix":
      return connectPlain({ path: to.path });
    case "tcp":
      return connectPlain({ host: to.host, port: to.port });
    case "tls":
      return connectSecure({ host: to.host, port: to.port, ...to.tls });
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ENOENT: "connect: no such file or directory",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

export function dialError(name: string, error: unknown): EngineError {
  if (error instanceof EngineError && error.class !== "unavailable") return error;
  const code = codeOf(error) ?? "";
  const said = words[code] ?? (error instanceof EngineError ? "i/o timeout" : code === "ENOTFOUND" || code === "EAI_AGAIN" ? "no such host" : messageOf(error));
  return new EngineError(code === "ENOENT" ? "invalidArgument" : "internal", `dial ${name}: ${said}`, { cause: error });
}
