import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { delay, withDeadline } from "#base/deadline.ts";
import { EngineError } from "#base/errors.ts";
import type { OverlayConfig } from "#core/config/config.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import { prefixOf } from "#core/networks/address.ts";
import type { NetworkRecord } from "#core/networks/record.ts";
import type { EndpointRecord } from "#core/networks/sandbox-record.ts";
import type { SharedListener, SharedNetworks } from "#core/networks/shared.ts";
import { Claims } from "./claims.ts";
import { Etcd } from "./etcd.ts";
import { keys, parseHolder, parseNetwork } from "./keys.ts";
import { Roster } from "./roster.ts";
import { Tunnels } from "./vxlan.ts";

export interface OverlayOptions {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly config: OverlayConfig;
  /** Where the host's files are. */
  readonly hostPrefix: string;
  /** How long the others remember an engine that says nothing. */
  readonly leaseSeconds?: number;
}

/** Outer Ethernet, IP, UDP and VXLAN headers. */
const overheadBytes = { 4: 50, 6: 70 } as const;
const linkBytes = 1_500;
const leaseSecondsDefault = 30;
const retryMs = 500;
const readyMsMax = 5_000;
const releaseMsMax = 3_000;
/** Below are numbers that people like to give by hand. */
const firstVni = 4_097;
const joinAttemptsMax = 100;

export function openOverlay({ kernel, journal, config, hostPrefix, leaseSeconds = leaseSecondsDefault }: OverlayOptions): OverlayNetworks {
  const read = (path: string): string => readFileSync(`${hostPrefix}${path}`, "utf8");
  const { tls } = config;
  const etcd = new Etcd({ urls: config.etcd, ...(tls === undefined ? {} : { tls: { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) } }) });
  return new OverlayNetworks({ etcd, tunnels: new Tunnels(kernel), journal, host: config.advertise, leaseSeconds });
}

interface Parts {
  readonly etcd: Etcd;
  readonly tunnels: Tunnels;
  readonly journal: Journal;
  readonly host: string;
  readonly leaseSeconds: number;
}

/**
 * Networks over VXLAN whose members and addresses are in etcd. A session is a lease with all that this engine holds under it, and a
 * watch of what the others hold; when it fails another one begins and says everything again, and meanwhile packets flow as they did.
 */
export class OverlayNetworks implements SharedNetworks, AsyncDisposable {
  readonly mtu: number;
  readonly #parts: Parts;
  readonly #roster: Roster;
  readonly #claims: Claims;
  readonly #networks = new Map<string, NetworkRecord>();
  /** Said of networks that may be left while it is said. */
  readonly #registering = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #ready = Promise.withResolvers<string>();
  #leaseNow: string | undefined;
  #failure: unknown;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.mtu = linkBytes - overheadBytes[isIPv6(parts.host) ? 6 : 4];
    this.#roster = new Roster(parts.host, parts.tunnels);
    this.#claims = new Claims(parts.etcd, parts.host, (endpoint) => this.#roster.listener?.lost(endpoint));
    this.#running = this.#run(this.#stop.signal);
  }

  async join(name: string, propose: Parameters<SharedNetworks["join"]>[1]): Promise<NetworkRecord> {
    const lease = await this.#lease();
    const { etcd } = this.#parts;
    for (let attempt = 0; attempt < joinAttemptsMax; attempt += 1) {
      const [{ entries }, generation] = await Promise.all([etcd.below(keys.networks), etcd.get(keys.generation)]);
      const networks = entries.map(({ value }) => parseNetwork(value));
      const there = networks.find((network) => network.name === name);
      const record = there ?? propose(freeOf(networks));
      const value = entries.find(({ key }) => key === keys.network(name))?.value ?? JSON.stringify(record);
      const member = { put: keys.member(record.id, this.#parts.host), value: this.#parts.host, lease };
      const done =
        there === undefined
          ? await etcd.transact(
              [{ missing: keys.network(name) }, { key: keys.generation, revision: generation?.revision ?? 0 }],
              [{ put: keys.network(name), value }, { put: keys.generation, value: record.id }, member],
            )
          : await etcd.transact([{ key: keys.network(name), value }], [member]);
      if (done) return record;
    }
    throw new EngineError("unavailable", `network ${name} could not be made: too many others are being made at the same time; try again`);
  }

  async leave(record: NetworkRecord): Promise<void> {
    const { etcd, host, journal } = this.#parts;
    await this.#registering.get(record.id);
    try {
      await withDeadline(releaseMsMax, `leaving network ${record.name}`, async () => {
        await etcd.transact([], [{ remove: keys.member(record.id, host) }]);
        const nobody = { missing: keys.members(record.id), below: true } as const;
        await etcd.transact([nobody], [{ remove: keys.network(record.name) }, { remove: keys.endpointsOf(record.id), below: true }]);
        await etcd.transact([{ missing: keys.networks, below: true }], [{ remove: keys.generation }]);
      });
    } catch (error) {
      journal.warn(`network ${record.name} is left, but etcd could not be told: it forgets this engine in ${this.#parts.leaseSeconds} s`, error);
    }
  }

  attach(record: NetworkRecord): void {
    const { bridge, overlay } = record;
    if (bridge === undefined || overlay === undefined) return;
    const { tunnels, host } = this.#parts;
    tunnels.ensure({ network: record.id, bridge: bridge.interface, vni: overlay.vni, mtu: bridge.mtu, local: host });
    const known = this.#networks.has(record.id);
    this.#networks.set(record.id, record);
    this.#roster.attach(record.id);
    if (known || this.#leaseNow === undefined) return; // the next session says it
    const saying = this.#register(record, this.#leaseNow).catch(() => undefined);
    this.#registering.set(record.id, saying);
    void saying.finally(() => this.#registering.delete(record.id));
  }

  detach(record: NetworkRecord): void {
    if (record.overlay === undefined) return;
    this.#roster.detach(record.id);
    this.#networks.delete(record.id);
    this.#parts.tunnels.remove(record.id);
  }

  async claim(endpoint: EndpointRecord): Promise<void> {
    await this.#claims.claim(endpoint, await this.#lease());
  }

  hold(endpoint: EndpointRecord): void {
    this.#claims.hold(endpoint);
  }

  release(endpoint: EndpointRecord): void {
    this.#claims.release(endpoint);
  }

  async released(): Promise<void> {
    await withDeadline(releaseMsMax, "giving addresses back", () => this.#claims.settled()).catch(() => undefined);
  }

  follow(listener: SharedListener): void {
    this.#roster.follow(listener);
  }

  /** What this engine holds stays its own for as long as the lease lasts: another engine in its place takes it up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.released();
    this.#stop.abort();
    await this.#running;
    this.#parts.etcd[Symbol.dispose]();
    this.#parts.tunnels[Symbol.dispose]();
  }

  /** The lease of the session there is, or that begins in a moment. */
  async #lease(): Promise<string> {
    try {
      return await withDeadline(readyMsMax, "asking etcd", () => this.#ready.promise);
    } catch (error) {
      throw this.#failure instanceof EngineError ? this.#failure : error;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (this.#failure === undefined) this.#parts.journal.warn("networks between engines go on as they are, with nothing new of the others", error);
        this.#failure = error;
        this.#leaseNow = undefined;
        this.#ready = Promise.withResolvers<string>();
      }
      await delay(retryMs, signal).catch(() => undefined);
    }
  }

  async #session(stop: AbortSignal): Promise<void> {
    const { etcd, journal, leaseSeconds } = this.#parts;
    const lease = await etcd.grant(leaseSeconds);
    const { entries, revision } = await etcd.below(keys.endpoints);
    this.#roster.replace(entries.map(({ key, value }) => ({ key, holder: parseHolder(value) })));
    this.#leaseNow = lease;
    this.#ready.resolve(lease);
    for (const record of [...this.#networks.values()]) await this.#register(record, lease);
    await this.#claims.sayAgain(lease);
    if (this.#failure !== undefined) journal.info("networks between engines: etcd answers again");
    this.#failure = undefined;
    const end = new AbortController();
    const signal = AbortSignal.any([stop, end.signal]);
    try {
      await Promise.race([this.#keepAlive(lease, signal), this.#watch(revision + 1, signal)]);
    } finally {
      end.abort();
    }
  }

  async #keepAlive(lease: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay((this.#parts.leaseSeconds * 1_000) / 3, signal);
      if (!(await this.#parts.etcd.keepAlive(lease))) throw new EngineError("unavailable", "etcd has forgotten this engine's lease");
    }
  }

  async #watch(from: number, signal: AbortSignal): Promise<void> {
    for await (const events of this.#parts.etcd.watch(keys.endpoints, from, signal)) {
      for (const { kind, key, value } of events) {
        if (kind === "delete") this.#roster.remove(key);
        else this.#roster.put(key, parseHolder(value));
      }
    }
  }

  /** Says that this engine is a member, and the network itself where it was forgotten. */
  async #register(record: NetworkRecord, lease: string): Promise<void> {
    const { etcd, host, journal } = this.#parts;
    const key = keys.network(record.name);
    await etcd.transact([{ missing: key }], [{ put: key, value: JSON.stringify(record) }]);
    const there = await etcd.get(key);
    if (there !== undefined && parseNetwork(there.value).id !== record.id) {
      journal.error(`network ${record.name} is another one on the other engines by now: remove it here and create it again`);
      return;
    }
    // Removed meanwhile it must not come back.
    if (this.#networks.has(record.id)) await etcd.transact([], [{ put: keys.member(record.id, host), value: host, lease }]);
  }
}

function freeOf(networks: readonly NetworkRecord[]): Parameters<Parameters<SharedNetworks["join"]>[1]>[0] {
  const taken = new Set(networks.map(({ overlay }) => overlay?.vni));
  let vni = firstVni;
  while (taken.has(vni)) vni += 1;
  return { vni, used: networks.flatMap(({ subnets }) => subnets.map(({ subnet }) => prefixOf(subnet))) };
}
