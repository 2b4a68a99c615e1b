import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GuestCalls, Handlers, HostCalls } from "./calls.ts";
import { dialDatagrams, dialStream, joinStream } from "./dial.ts";
import { serveSession } from "./guest.ts";
import { connectLink, type HostLink } from "./host.ts";
import type { HostChannel } from "./publisher.ts";
import type { Tunnel } from "./tunnel.ts";
import type { WatchdogTimes } from "./watchdog.ts";

/** For tests: both ends of a link over a real pair of connected sockets, and servers for tunnels to lead to. */
export interface Rig extends AsyncDisposable {
  readonly link: HostLink;
  readonly host: HostChannel;
  readonly accepted: Map<string, Tunnel>;
  /** The host's end of the transport, to break it. */
  readonly hostEnd: Socket;
  /** From now on the transport stays open and carries nothing, as when the program behind a port hangs. */
  freeze(): void;
  readonly guestClosed: Promise<Error | undefined>;
  /** A TCP server on loopback whose connections are handed to `serve`; returns its port. */
  listen(serve: (socket: Socket) => void): Promise<number>;
}

const noCall = (): Promise<never> => Promise.reject(new Error("not served in this test"));
const noHostCalls: Handlers<HostCalls> = { publish: noCall, unpublish: noCall, resolve: noCall, dial: noCall };
const guestCalls: Handlers<GuestCalls> = {
  usage: async () => ({ memoryBytes: 1, memoryTotalBytes: 2, cpuBusyTicks: 3, cpuTotalTicks: 4, disk: { totalBytes: 10, freeBytes: 5 } }),
  configure: noCall,
  changed: noCall,
};

export async function openRig(given: { hostCalls?: (link: Pick<HostLink, "open">) => Partial<Handlers<HostCalls>>; times?: WatchdogTimes } = {}): Promise<Rig> {
  await using undo = new AsyncDisposableStack();
  const [hostEnd, relayHost] = await socketPair(undo);
  const [relayGuest, guestEnd] = await socketPair(undo);
  relayHost.pipe(relayGuest).pipe(relayHost);
  for (const end of [relayHost, relayGuest]) end.on("error", () => {});
  relayHost.on("close", () => relayGuest.destroy());
  const freeze = (): void => {
    relayHost.unpipe().pause();
    relayGuest.unpipe().pause();
  };
  const accepted = new Map<string, Tunnel>();
  const times = given.times ? { times: given.times } : {};
  const signal = new AbortController().signal;
  const host = Promise.withResolvers<HostChannel>();
  const guestClosed = serveSession(guestEnd, {
    dial: async (target) =>
      target.kind === "udp" ? await dialDatagrams(target) : joinStream(await dialStream(target.kind === "tcp" ? target : { path: "/nonexistent/engine.sock" })),
    accept: (ticket, tunnel) =>
      void accepted.set(
        ticket,
        tunnel.on("error", () => {}),
      ),
    onHost: host.resolve,
    serve: guestCalls,
    signal,
    ...times,
  });
  const link = undo.use(await connectLink(hostEnd, { serve: (l) => ({ ...noHostCalls, ...given.hostCalls?.(l) }), signal, ...times }));
  const resources = undo.move();
  const listen = async (serve: (socket: Socket) => void): Promise<number> => {
    const server = createServer({ allowHalfOpen: true }, serve);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    resources.defer(() => void server.close());
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  return { link, host: await host.promise, accepted, hostEnd, freeze, guestClosed, listen, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Both ends of a connection. */
export async function socketPair(undo: AsyncDisposableStack): Promise<[Socket, Socket]> {
  const dir = mkdtempSync(join(tmpdir(), "slipway-link-"));
  undo.defer(() => rmSync(dir, { recursive: true }));
  const server: Server = createServer();
  server.listen(join(dir, "s"));
  await once(server, "listening");
  const arrival = once(server, "connection") as Promise<[Socket]>;
  const a = connect(join(dir, "s"));
  const [b] = await arrival;
  undo.defer(() => {
    a.destroy();
    b.destroy();
    server.close();
  });
  return [a, b];
}
