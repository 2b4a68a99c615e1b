import { type Server, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { type TlsOptions, createServer as createTlsServer } from "node:tls";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";
import { type SocketOwner, listenAt } from "./socket.ts";

/** Where the API is served besides its own socket. */
export type Place =
  | { readonly kind: "unix"; readonly path: string; readonly owner: SocketOwner }
  /** The texts of PEM files. Only clients with a certificate of `ca` get an answer. */
  | { readonly kind: "tls"; readonly host: string; readonly port: number; readonly ca: string; readonly cert: string; readonly key: string };

/** Longest time a client may take for its TLS handshake. */
const handshakeMsMax = 10_000;

/** Listens at `place`, and hands every connection to `accept`. Half-closed ones stay open: attach and exec live on them. */
export async function openListener(place: Place, accept: (connection: Duplex) => void, report: (error: unknown) => void): Promise<Server> {
  if (place.kind === "unix") {
    const server = createServer({ allowHalfOpen: true }, accept);
    await listenAt(server, place.path, place.owner);
    return server.on("error", report);
  }
  const server = tlsServer(place).on("secureConnection", accept);
  // A client without a certificate, or one that speaks no TLS: its affair.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(unusable(place, error)));
    server.listen({ host: place.host, port: place.port }, resolve);
  });
  server.removeAllListeners("error");
  return server.on("error", report);
}

function tlsServer({ ca, cert, key }: Place & { kind: "tls" }): ReturnType<typeof createTlsServer> {
  // `allowHalfOpen` is net's, and tls passes it on.
  const options: TlsOptions & { allowHalfOpen: boolean } = {
    ca,
    cert,
    key,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMsMax,
    allowHalfOpen: true,
  };
  try {
    return createTlsServer(options);
  } catch (error) {
    throw new EngineError("invalidArgument", `the certificates of daemon.json (tlscacert, tlscert, tlskey) cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function unusable({ host, port }: Place & { kind: "tls" }, error: unknown): EngineError {
  const reason = codeOf(error) === "EADDRINUSE" ? "something else listens there already" : messageOf(error);
  return new EngineError("unavailable", `the API cannot listen at tcp://${host}:${port}: ${reason}; change "hosts" in daemon.json`, { cause: error });
}
