import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { codeOf, messageOf } from "#base/errors.ts";
import type { EngineAddress, EngineResponse, EngineTls } from "#bridge/bridge.ts";
import { type Dial, EngineConnection } from "#host/engine.ts";
import { type Place, placeOf } from "./address.ts";
import { SshRoute } from "./ssh.ts";
import { UnreachedError, unreached } from "./unreached.ts";

const connectMsMax = 10_000;

/** A way to an engine. */
export interface Route extends AsyncDisposable {
  /** For people. */
  readonly place: string;
  /** How often its engine may be asked whether it is still there. */
  readonly watchMs: number;
  readonly dial: Dial;
}

export function routeTo(address: EngineAddress): Route {
  const place = placeOf(address);
  switch (place.kind) {
    case "path":
      return plain(place.path, 2_000, ({ signal }) => connected(signal, () => connectTcp({ path: place.path, allowHalfOpen: true }), "connect"));
    case "tcp":
      return plain(address.url, 5_000, (opts) => (place.tls === undefined ? dialTcp(place, opts) : dialTls(place, place.tls, opts)));
    case "ssh":
      return new SshRoute(place, address.url);
  }
}

const plain = (place: string, watchMs: number, dial: Dial): Route => ({ place, watchMs, dial, [Symbol.asyncDispose]: () => Promise.resolve() });

type Tcp = Place & { readonly kind: "tcp" };

const dialTcp = ({ host, port }: Tcp, { signal }: { readonly signal: AbortSignal }): Promise<Duplex> =>
  connected(signal, () => connectTcp({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true }), "connect");

/** The files are read for each connection: certificates are renewed while programs run. */
async function dialTls({ host, port }: Tcp, tls: EngineTls, { signal }: { readonly signal: AbortSignal }): Promise<Duplex> {
  const [ca, cert, key] = await Promise.all([pem(tls.ca), pem(tls.cert), pem(tls.key)]);
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  // `allowHalfOpen` is net's, and tls passes it on.
  const options = { host, port, ...files, ...(isIP(host) === 0 && { servername: host }), rejectUnauthorized: tls.skipVerify !== true, allowHalfOpen: true };
  return await connected(
    signal,
    () => {
      try {
        return connectTls(options);
      } catch (error) {
        throw new UnreachedError("file", `a certificate or key cannot be used: ${messageOf(error)}`, { cause: error });
      }
    },
    "secureConnect",
  );
}

async function pem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new UnreachedError("file", codeOf(error) === "ENOENT" ? `there is no file ${path}` : messageOf(error), { cause: error });
  }
}

function connected<S extends Duplex>(signal: AbortSignal, open: () => S, event: "connect" | "secureConnect"): Promise<S> {
  return new Promise((resolve, reject) => {
    const ending = AbortSignal.any([signal, AbortSignal.timeout(connectMsMax)]);
    const socket = open();
    const settle = (): void => {
      socket.off("error", fail);
      ending.removeEventListener("abort", late);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(unreached(error));
    };
    const late = (): void => fail(ending.reason);
    socket.once("error", fail);
    ending.addEventListener("abort", late);
    socket.once(event, () => {
      settle();
      resolve(socket);
    });
    if (ending.aborted) late();
  });
}

const probeMsMax = 20_000;

/** Whether a Docker engine answers there. Rejects with an UnreachedError. */
export async function reach(dial: Dial, signal: AbortSignal): Promise<void> {
  const { status, headers, body } = await asked(dial, "/_ping", signal);
  if (status === 400 && String(body).includes("HTTPS server")) throw new UnreachedError("wantsTls", String(body).trim());
  if (status !== 200 || headers["api-version"] === undefined) throw new UnreachedError("notEngine", `what answers there is no Docker engine (HTTP ${status})`);
}

export interface Probed {
  readonly version: string;
  /** Not Slipway's engine. */
  readonly foreign: boolean;
}

/** The same, and which engine it is. */
export async function probe(dial: Dial, signal: AbortSignal): Promise<Probed> {
  await reach(dial, signal);
  const { body } = await asked(dial, "/version", signal);
  const { Version: version, Platform } = (body ?? {}) as { readonly Version?: unknown; readonly Platform?: { readonly Name?: unknown } };
  const name = typeof Platform?.Name === "string" ? Platform.Name : "";
  return { version: typeof version === "string" ? version : "", foreign: !name.startsWith("Slipway") };
}

async function asked(dial: Dial, path: string, signal: AbortSignal): Promise<EngineResponse> {
  const late = AbortSignal.timeout(probeMsMax);
  try {
    return await new EngineConnection(dial).request({ method: "GET", path }, { signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    throw unreached(late.aborted ? late.reason : error);
  }
}
