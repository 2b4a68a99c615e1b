import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { delay } from "#base/deadline.ts";
import { roomFrom } from "#base/disk-room.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Configured, FileChange, GuestUsage, Resolution } from "./calls.ts";
import { boot } from "./boot.ts";
import { serveCtl } from "./ctl-guest.ts";
import { dialDatagrams, dialStream, joinStream } from "./dial.ts";
import { type Dialled, serveSession } from "./guest.ts";
import { linkLimits } from "./limits.ts";
import { CharPort, type Poll } from "./port.ts";
import { type HostChannel, Publications, type PublishedPort } from "./publisher.ts";
import { parseUsage } from "./usage.ts";

export interface LinkOptions {
  /** Character device of the HTTP/2 port, `/dev/virtio-ports/h2`. */
  readonly linkPath: string;
  /** Character device of the control port, `/dev/virtio-ports/ctl`. */
  readonly ctlPath: string;
  /** Unix socket of the engine's own API. */
  readonly engineSocket: string;
  /** From the engine's `Kernel`. */
  readonly io: { readonly poll: Poll; setTime(unixMs: number): void };
  readonly version: string;
  /** The engine's root directory, on the data disk. */
  readonly root: string;
  /** Takes over another daemon.json. */
  readonly configure: (text: string) => Promise<Configured>;
  /** The host wants the machine off: stop the containers and resolve; `powerOff` follows. */
  readonly shutdown: () => Promise<void>;
  /** Ends the guest (`poweroff`); called once the host has been told. */
  readonly powerOff: () => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The engine's side of the link, for as long as the engine lives. */
export interface GuestLink extends AsyncDisposable {
  /** Publishes ports on the VM's host; fits core/networks' PortPublisher. */
  readonly publisher: { readonly relayAddress: string; publish(what: Parameters<Publications["publish"]>[0]): Promise<PublishedPort> };
  /** Resolves a name by the host's resolver (VPN and split DNS as the host has them). Class `unavailable` without a link. */
  resolve(name: string, type: string, opts?: { signal?: AbortSignal }): Promise<Resolution>;
  /** A connection dialled by the host, for `host.docker.internal`. */
  dialHost(address: string, port: number): Promise<Duplex>;
}

/**
 * Serves the two virtio-serial ports until `signal` aborts; resolves at once, ports are opened as the host attaches.
 *
 *     await using link = serveLink({ linkPath, ctlPath, engineSocket, io: kernel, version, configure, log, signal,
 *       shutdown: () => engine.stop(), powerOff: () => execFileSync("poweroff") });
 *     // link.publisher -> networks, link.resolve -> DNS upstream
 */
export function serveLink(options: LinkOptions): GuestLink {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const hosts = new HostSlot();
  const accepts = new Map<string, (tunnel: Duplex) => void>();
  const publications = new Publications((s) => hosts.get(s), options.log);
  let session = new AbortController();

  const served = serveSessions(options, signal, {
    next: () => (session = new AbortController()).signal,
    accept: (ticket, tunnel) => (accepts.get(ticket) ?? ((t: Duplex) => void t.destroy()))(tunnel),
    onHost: (host) => {
      hosts.set(host);
      void publications.reclaim(host);
    },
    onEnd: () => hosts.set(undefined),
  });
  const bootedAs = bootId();
  const controlled = serveCtl({ ...options, signal, epoch: randomBytes(8).toString("hex"), boot: bootedAs, reset: () => session.abort() });

  return {
    publisher: publications,
    resolve: async (name, type, opts = {}) => await (await hosts.get(opts.signal)).call("resolve", { name, type }, opts),
    dialHost: async (address, port) => await dialHost(await hosts.get(), accepts, address, port),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([served, controlled]);
    },
  };
}

interface SessionEvents {
  readonly next: () => AbortSignal;
  readonly accept: (ticket: string, tunnel: Duplex) => void;
  readonly onHost: (host: HostChannel) => void;
  readonly onEnd: () => void;
}

async function serveSessions(options: LinkOptions, signal: AbortSignal, events: SessionEvents): Promise<void> {
  let said = "";
  while (!signal.aborted) {
    try {
      const port = await CharPort.open(options.linkPath, options.io.poll, signal);
      const cause = await serveSession(port, {
        dial: (target) => dial(target, options.engineSocket),
        accept: events.accept,
        onHost: events.onHost,
        serve: {
          usage: () => guestUsage(options.root),
          configure: ({ text }) => options.configure(text),
          changed: ({ changes }) => tellShares(changes),
        },
        signal: AbortSignal.any([signal, events.next()]),
      });
      await closedPort(port);
      if (!signal.aborted) options.log(`link: session ended: ${cause === undefined ? "the host hung up" : messageOf(cause)}`);
    } catch (error) {
      // A port that is missing is missing every second: it is said once.
      if (!signal.aborted && said !== messageOf(error)) options.log(`link: ${options.linkPath}: ${(said = messageOf(error))}`);
      await delay(1_000, signal).catch(() => {});
    } finally {
      events.onEnd();
    }
  }
}

/** A port has one opener: the next open must wait until the descriptor is closed. */
const closedPort = (port: CharPort): Promise<void> => new Promise((resolve) => (port.closed ? resolve() : port.once("close", () => resolve())));

async function dial(target: Dialled, engineSocket: string): Promise<(tunnel: Duplex) => void> {
  switch (target.kind) {
    case "engine":
      return joinStream(await dialStream({ path: engineSocket }));
    case "tcp":
      return joinStream(await dialStream(target));
    case "udp":
      return await dialDatagrams(target);
  }
}

async function dialHost(host: HostChannel, accepts: Map<string, (tunnel: Duplex) => void>, address: string, port: number): Promise<Duplex> {
  const ticket = randomBytes(16).toString("hex");
  let arrived: Duplex | undefined;
  accepts.set(ticket, (tunnel) => (arrived = tunnel));
  try {
    await host.call("dial", { address, port, ticket });
    if (arrived === undefined) throw new EngineError("unavailable", `the host dialled ${address}:${port} but sent no connection`);
    return arrived;
  } finally {
    accepts.delete(ticket);
  }
}

/** The host's calls while a link is up; whoever asks while it is down waits a while for the next. */
class HostSlot {
  #host: HostChannel | undefined;
  readonly #waiting = new Set<(host: HostChannel) => void>();

  set(host: HostChannel | undefined): void {
    this.#host = host;
    if (host === undefined) return;
    for (const wake of this.#waiting) wake(host);
    this.#waiting.clear();
  }

  async get(signal?: AbortSignal): Promise<HostChannel> {
    signal?.throwIfAborted();
    if (this.#host) return this.#host;
    return await new Promise<HostChannel>((resolve, reject) => {
      const fail = (error: Error) => (): void => {
        this.#waiting.delete(wake);
        clearTimeout(timer);
        reject(error);
      };
      const wake = (host: HostChannel): void => {
        clearTimeout(timer);
        resolve(host);
      };
      const timer = setTimeout(fail(new EngineError("unavailable", "the link to the VM's host is down")), linkLimits.callPatienceMs);
      this.#waiting.add(wake);
      signal?.addEventListener("abort", fail(new EngineError("cancelled", "cancelled while waiting for the link")), { once: true });
    });
  }
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** By who serves the shares (guest/shares), which alone can have the kernel tell its watchers of everything. */
async function tellShares(changes: readonly FileChange[]): Promise<null> {
  const connection = connect(boot.sharesSocket);
  const inGuest = changes.map((change) => ({ ...change, path: join(boot.hostPrefix, change.path) }));
  connection.end(`${JSON.stringify(inGuest)}\n`);
  await finished(connection, { readable: false });
  return null;
}

async function guestUsage(root: string): Promise<GuestUsage> {
  const [meminfo = "", stat = "", uptime = ""] = await Promise.all(["meminfo", "stat", "uptime"].map((name) => readFile(`/proc/${name}`, "utf8")));
  return { ...parseUsage(meminfo, stat, uptime), disk: roomFrom(await statfs(root)) };
}
