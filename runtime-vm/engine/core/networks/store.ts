import type { NetworkCreateRequest, NetworkInspect } from "#api/networks.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { EventLog } from "../events/events.ts";
import type { Bin } from "../bin/bin.ts";
import { projectOf, type Take } from "../bin/keeper.ts";
import type { State } from "../state/state.ts";
import { buildRecord } from "./create.ts";
import { asksForBridge, type BridgeSettings, openDefaultBridge, wantsBridge } from "./default-bridge.ts";
import type { NetworkDriver } from "./driver.ts";
import { matchesNetwork, matchesPrune } from "./filters.ts";
import type { AddressPool } from "./ipam.ts";
import { checkNew, type JoinContext, joinNetwork } from "./join.ts";
import { NetworkKeeper } from "./kept.ts";
import { lookUp } from "./lookup.ts";
import type { NetworkStore } from "./networks.ts";
import { plainRecord } from "./predefined.ts";
import { bridgeOf, inspectRecord, isPredefined, type NetworkRecord, parentOf } from "./record.ts";
import { type LiveNetwork, NetworkRegister } from "./register.ts";
import { endpointRow } from "./sandbox-record.ts";
import type { SharedNetworks } from "./shared.ts";

export interface NetworkStoreOptions {
  readonly state: State;
  /** What was removed and can be brought back. */
  readonly bin: Bin;
  readonly driver: NetworkDriver;
  readonly events: EventLog;
  readonly pools: readonly AddressPool[];
  /** Absent: no network is between engines. */
  readonly shared?: SharedNetworks;
  /** daemon.json's, of the default bridge and of new networks. */
  readonly settings: BridgeSettings & { readonly networkOptions?: Readonly<Record<string, Readonly<Record<string, string>>>> };
}

export class Networks implements NetworkStore {
  readonly #options: NetworkStoreOptions;
  readonly #register: NetworkRegister;
  #prepared = false;
  /** A new root directory: who first asks for networks waits for the predefined ones. */
  #unmade: boolean;

  /** Loads what is recorded. The kernel is brought to agree with it by `prepare`. */
  constructor(options: NetworkStoreOptions) {
    this.#options = options;
    this.#register = new NetworkRegister(options.state);
    const { records } = this.#register;
    const wanted = wantsBridge(options.settings);
    if (!wanted) this.#dropDefaultBridge();
    const predefined = wanted ? ["none", "host", "bridge"] : ["none", "host"];
    this.#unmade = predefined.some((one) => !records.some(({ name }) => name === one));
    // What daemon.json asks for in vain is told at the start.
    if (this.#unmade && asksForBridge(options.settings)) this.prepare();
    options.bin.register("network", new NetworkKeeper({ context: () => this.#context(), add: (record, take) => this.#comeBack(record, take) }));
  }

  get #live(): Map<string, LiveNetwork> {
    // What the default bridge is called and which addresses it has is seen when it is first made.
    if (this.#unmade) this.prepare();
    return this.#register.live;
  }

  /** Makes bridges and packet rules as recorded; everything that needs them asks for it, and only the first call does anything. */
  prepare(): void {
    if (this.#prepared) return;
    for (const name of ["none", "host"] as const) if (!this.#register.records.some((record) => record.name === name)) this.#register.save(plainRecord(name));
    const { records } = this.#register;
    this.#options.driver.sweep(new Set(records.map(({ id }) => id)));
    for (const record of records) if (record.name !== "bridge") this.#restore(record);
    if (wantsBridge(this.#options.settings)) this.#openDefaultBridge(records.find(({ name }) => name === "bridge"));
    this.#program();
    this.#prepared = true;
    this.#unmade = false;
  }

  /** An interface of the machine that is gone since is no reason for the others not to be there: its containers fail at their start. */
  #restore(record: NetworkRecord): void {
    try {
      this.#ensure(record);
    } catch (error) {
      if (record.parent === undefined) throw error;
    }
  }

  list(filters: Readonly<Record<string, readonly string[]>>): NetworkInspect[] {
    const matches = matchesNetwork(filters);
    return [...this.#live.values()].filter((network) => matches(network.record, network.endpoints.size)).map((network) => inspectRecord(network.record, {}));
  }

  inspect(idOrName: string): NetworkInspect {
    const { record, endpoints } = this.get(idOrName);
    const containers = [...endpoints].map((endpoint) => [endpoint.container, endpointRow(endpoint)] as const);
    return inspectRecord(record, Object.fromEntries(containers));
  }

  async create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }> {
    if (!isPredefined(request.Name)) checkNew(request.Name, this.#names());
    this.prepare();
    const driverOptions = this.#options.settings.networkOptions?.[request.Driver || "bridge"] ?? {};
    const { shared } = this.#options;
    const asked = { ...request, Options: { ...driverOptions, ...request.Options } };
    const between = request.Driver === "overlay" && request.ConfigOnly !== true && shared !== undefined;
    const record = between ? await joinNetwork(asked, shared, () => this.#context()) : buildRecord(asked, this.#context());
    this.#register.save(record);
    try {
      this.#ensure(record);
      this.#program();
    } catch (error) {
      this.#forget(record);
      if (record.overlay !== undefined) await shared?.leave(record);
      throw error;
    }
    this.#publish("create", record);
    return { Id: record.id, Warning: "" };
  }

  #names(): ReadonlySet<string> {
    return new Set([...this.#live.values()].map(({ record }) => record.name));
  }

  #context(): JoinContext {
    return {
      names: this.#names(),
      used: this.#register.subnets(),
      routed: this.#options.driver.routes(),
      pools: this.#options.pools,
      configuration: (idOrName) => {
        const found = this.find(idOrName)?.record;
        return found?.configOnly === true ? found : undefined;
      },
      bridges: new Map([...this.#live.values()].flatMap(({ record: r }) => (r.bridge === undefined ? [] : [[r.bridge.interface, r.id] as const]))),
    };
  }

  async remove(idOrName: string): Promise<void> {
    const { record, endpoints } = this.get(idOrName);
    if (isPredefined(record.name)) throw new EngineError("forbidden", `${record.name} is a pre-defined network and cannot be removed`);
    if (record.configOnly === true && this.#register.dependants(record).length > 0) {
      throw new EngineError("forbidden", `error while removing network: configuration network ${JSON.stringify(record.name)} is in use`);
    }
    if (endpoints.size > 0) {
      const names = [...endpoints].map(({ containerName, id }) => `name:${JSON.stringify(containerName)} id:${JSON.stringify(id.slice(0, 12))}`);
      throw new EngineError("forbidden", `error while removing network: network ${record.name} has active endpoints (${names.join(", ")})`);
    }
    this.prepare();
    // What was agreed on with other engines cannot be kept.
    const keeps = this.#options.bin.isOn && record.overlay === undefined;
    if (keeps) await this.#keep(record);
    else this.#forget(record);
    if (record.overlay !== undefined) await this.#options.shared?.leave(record);
    this.#publish("destroy", record);
  }

  async #keep(record: NetworkRecord): Promise<void> {
    this.#takeDown(record);
    await this.#options.bin.keep({ kind: "network", id: record.id, name: record.name, ...projectOf(record.labels) }, record, () =>
      this.#register.unrecord(record),
    );
  }

  async #comeBack(record: NetworkRecord, take: Take): Promise<void> {
    this.prepare();
    this.#register.add(record);
    try {
      this.#ensure(record);
      this.#program();
      await take(() => this.#register.record(record));
    } catch (error) {
      this.#takeDown(record);
      throw error;
    }
    this.#publish("create", record);
  }

  async prune(filters: Readonly<Record<string, readonly string[]>>): Promise<string[]> {
    const matches = matchesPrune(filters);
    const unused = [...this.#live.values()].filter(({ record, endpoints }) => endpoints.size === 0 && !isPredefined(record.name) && matches(record));
    const removable = unused.filter(({ record }) => this.#register.dependants(record).length === 0);
    for (const { record } of removable) await this.remove(record.id);
    this.#options.events.publish({ type: "network", action: "prune", id: "", attributes: { reclaimed: "0" } });
    return removable.map(({ record }) => record.name);
  }

  get(idOrName: string): LiveNetwork {
    return lookUp(this.#live, idOrName);
  }

  find(idOrName: string): LiveNetwork | undefined {
    try {
      return this.get(idOrName);
    } catch (error) {
      if (isClass(error, "notFound")) return undefined;
      throw error;
    }
  }

  /** Takes packet rules and bridges away: for an engine that ends with no container left. */
  close(): void {
    if (!this.#prepared) return;
    for (const network of this.#register.bridges()) this.#options.driver.removeBridge(network);
    for (const { record } of this.#live.values()) {
      this.#options.shared?.detach(record);
      const parent = parentOf(record);
      if (parent !== undefined) this.#options.driver.removeParent(parent);
    }
    this.#options.driver.program([]);
  }

  #openDefaultBridge(before: NetworkRecord | undefined): void {
    const context = { ...this.#options, before, used: this.#register.subnets(), ensure: (record: NetworkRecord) => this.#ensure(record) };
    this.#register.replace(openDefaultBridge(context));
  }

  #dropDefaultBridge(): void {
    const before = this.#register.records.find(({ name }) => name === "bridge");
    if (before === undefined) return;
    this.#register.live.delete(before.id);
    this.#register.unrecord(before);
  }

  #ensure(record: NetworkRecord): void {
    const network = bridgeOf(record);
    if (network !== undefined) this.#options.driver.ensureBridge(network);
    const parent = parentOf(record);
    if (parent !== undefined) this.#options.driver.ensureParent(parent);
    if (record.overlay !== undefined) this.#options.shared?.attach(record);
  }

  #program(): void {
    this.#options.driver.program(this.#register.bridges());
  }

  /** The bridge goes before the record: a crash in between makes it anew at the next start, and leaves nothing unknown. */
  #forget(record: NetworkRecord): void {
    this.#takeDown(record);
    this.#register.unrecord(record);
  }

  #takeDown(record: NetworkRecord): void {
    if (record.overlay !== undefined) this.#options.shared?.detach(record);
    const network = bridgeOf(record);
    if (network !== undefined) this.#options.driver.removeBridge(network);
    const parent = parentOf(record);
    if (parent !== undefined) this.#options.driver.removeParent(parent);
    this.#live.delete(record.id);
    this.#program();
  }

  #publish(action: string, record: NetworkRecord): void {
    this.#options.events.publish({ type: "network", action, id: record.id, attributes: { name: record.name, type: record.driver } });
  }
}
