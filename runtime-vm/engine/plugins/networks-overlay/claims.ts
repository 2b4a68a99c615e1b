import { EngineError } from "#base/errors.ts";
import type { EndpointRecord } from "#core/networks/sandbox-record.ts";
import type { Etcd } from "./etcd.ts";
import { parseHolder } from "./keys.ts";
import { entriesOf } from "./roster.ts";

/** Addresses of this engine's containers, in etcd under its lease. What could not be said yet is said by the next session. */
export class Claims {
  readonly #etcd: Etcd;
  readonly #host: string;
  readonly #lost: (endpoint: EndpointRecord) => void;
  readonly #held = new Map<string, EndpointRecord>();
  readonly #released = new Map<string, EndpointRecord>();
  /** One after the other, so that what is released is not said again by what began before. */
  #turn: Promise<unknown> = Promise.resolve();
  #lease: string | undefined;

  constructor(etcd: Etcd, host: string, lost: (endpoint: EndpointRecord) => void) {
    this.#etcd = etcd;
    this.#host = host;
    this.#lost = lost;
  }

  /** Takes the addresses, all or none. Class conflict when somebody else has one. */
  async claim(endpoint: EndpointRecord, lease: string): Promise<void> {
    const entries = entriesOf(this.#host, endpoint);
    await this.#inTurn(async () => {
      const done = await this.#etcd.transact(
        entries.map(({ key }) => ({ missing: key })),
        entries.map(({ key, value }) => ({ put: key, value, lease: this.#lease ?? lease })),
      );
      if (!done) throw new EngineError("conflict", `an address of network ${endpoint.networkName} is another engine's`);
      this.#held.set(endpoint.id, endpoint);
    });
  }

  hold(endpoint: EndpointRecord): void {
    this.#held.set(endpoint.id, endpoint);
    const lease = this.#lease;
    if (lease !== undefined) void this.#inTurn(() => this.#say(endpoint, lease)).catch(() => undefined);
  }

  release(endpoint: EndpointRecord): void {
    if (!this.#held.delete(endpoint.id)) return;
    this.#released.set(endpoint.id, endpoint);
    void this.#inTurn(() => this.#withdraw(endpoint)).catch(() => undefined);
  }

  /** A new session: what is held is put under its lease, what was released meanwhile is withdrawn. */
  async sayAgain(lease: string): Promise<void> {
    this.#lease = lease;
    await this.#inTurn(async () => {
      for (const endpoint of [...this.#released.values()]) await this.#withdraw(endpoint);
      for (const endpoint of [...this.#held.values()]) await this.#say(endpoint, lease);
    });
  }

  async settled(): Promise<void> {
    await this.#turn.catch(() => undefined);
  }

  /** Ours may be written over, somebody else's not. */
  async #say(endpoint: EndpointRecord, lease: string): Promise<void> {
    if (!this.#held.has(endpoint.id)) return;
    for (const { key, value } of entriesOf(this.#host, endpoint)) {
      for (;;) {
        const there = await this.#etcd.get(key);
        const ours = there === undefined || isOf(parseHolder(there.value), this.#host, endpoint);
        if (!ours) return this.#lose(endpoint);
        const unchanged = there === undefined ? { missing: key } : { key, revision: there.revision };
        if (await this.#etcd.transact([unchanged], [{ put: key, value, lease }])) break;
      }
    }
  }

  #lose(endpoint: EndpointRecord): void {
    this.#held.delete(endpoint.id);
    this.#lost(endpoint);
  }

  async #withdraw(endpoint: EndpointRecord): Promise<void> {
    for (const { key } of entriesOf(this.#host, endpoint)) {
      const there = await this.#etcd.get(key);
      if (there === undefined || !isOf(parseHolder(there.value), this.#host, endpoint)) continue;
      await this.#etcd.transact([{ key, revision: there.revision }], [{ remove: key }]);
    }
    this.#released.delete(endpoint.id);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.catch(() => undefined).then(work);
    this.#turn = mine;
    return mine;
  }
}

const isOf = (holder: ReturnType<typeof parseHolder>, host: string, { id }: EndpointRecord): boolean => holder.host === host && holder.endpoint.id === id;
