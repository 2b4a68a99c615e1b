import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { EndpointSettings } from "#api/networks.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { EventLog } from "../events/events.ts";
import type { Journal } from "../journal/journal.ts";
import type { LinkedPair } from "./driver.ts";
import { Directory } from "./names.ts";
import type { Sandbox, Sandboxes, SandboxRequest } from "./networks.ts";
import { dnsNames, markEndpoint, type Owner, releaseEndpoint } from "./plan.ts";
import { parsePort, type PortChange, portsAfter, type Publication, publicationsOf } from "./ports.ts";
import { bridgeOf, parentOf } from "./record.ts";
import { type EndpointRecord, endpointSettings, gatewayOf, hostEnds, linkOf, linksOf, SandboxFiles, type SandboxRecord } from "./sandbox-record.ts";
import { type Live, type ServiceOptions, SandboxServices } from "./services.ts";
import { SharedEndpoints } from "./shared-endpoints.ts";
import { checkEndpoint, checkEndpoints, checkJoinable, checkRequest, networksOf, parseMode, settingsOf } from "./settings.ts";
import type { LiveNetwork } from "./store.ts";

export interface SandboxOptions extends ServiceOptions {
  readonly events: EventLog;
  readonly journal: Journal;
  /** Directories for nsfs files and for records. */
  readonly netnsDir: string;
  readonly recordsDir: string;
  /** Pinned file of the namespace of containers whose users are mapped. */
  readonly userns?: string;
  /** Names every container on a network with names may ask (`host.docker.internal`), with their address. */
  readonly fixedNames: ReadonlyMap<string, string>;
}

/** Networks of containers: each open sandbox is a namespace with its interfaces, its resolver and its published ports. */
export class SandboxManager implements Sandboxes, AsyncDisposable {
  readonly #options: SandboxOptions;
  readonly #files: SandboxFiles;
  readonly #directory: Directory;
  readonly #services: SandboxServices;
  readonly #shared: SharedEndpoints;
  readonly #live = new Map<string, Live>();
  /** What an earlier engine left, until `restore` or `sweep`. */
  readonly #dormant = new Map<string, SandboxRecord>();

  constructor(options: SandboxOptions) {
    this.#options = options;
    mkdirSync(options.netnsDir, { recursive: true, mode: 0o711 });
    this.#files = new SandboxFiles(options.recordsDir);
    this.#directory = new Directory(options.fixedNames);
    this.#services = new SandboxServices(options, this.#directory);
    this.#shared = new SharedEndpoints(options, this.#directory);
    for (const record of this.#files.all()) {
      this.#dormant.set(record.containerId, record);
      for (const endpoint of record.endpoints) {
        this.#occupy(endpoint);
        this.#shared.hold(endpoint);
      }
    }
    this.#shared.follow((endpoint) => this.#lose(endpoint));
    const known = new Set([...this.#dormant.values()].map(({ netns }) => netns));
    for (const name of readdirSync(options.netnsDir)) {
      const path = join(options.netnsDir, name);
      if (!known.has(path)) options.driver.removeSandbox(path, []);
    }
  }

  validate(request: SandboxRequest): void {
    checkRequest(request);
    this.validateEndpoints(request.endpoints);
  }

  validateEndpoints(asked: Readonly<Record<string, EndpointSettings | null>>): void {
    checkEndpoints(asked, (name) => this.#options.networks.find(name)?.record);
  }

  async open(request: SandboxRequest): Promise<Sandbox> {
    this.validate(request);
    if (this.#live.has(request.containerId)) throw new EngineError("internal", `network sandbox of container ${request.containerId} is open already`);
    await this.#forget(request.containerId);
    try {
      return await this.#open(request);
    } catch (error) {
      const cls = error instanceof EngineError && error.class !== "conflict" ? error.class : "internal";
      throw new EngineError(cls, `failed to set up container networking: ${messageOf(error)}`, { cause: error });
    }
  }

  async #open(request: SandboxRequest): Promise<Sandbox> {
    const mode = parseMode(request.mode);
    if (mode.kind === "container") return this.#joined(mode.id);
    const owner = ownerOf(request);
    this.#options.networks.prepare();
    await using undo = new AsyncDisposableStack();
    const endpoints: EndpointRecord[] = [];
    undo.defer(() => endpoints.forEach((endpoint) => this.#vacate(endpoint)));
    for (const name of networksOf(request)) {
      const taken = endpoints.map(({ containerInterface }) => containerInterface);
      const network = this.#options.networks.get(name);
      if (network.record.configOnly === true) throw new EngineError("forbidden", "cannot create endpoint on configuration-only network");
      if (endpoints.length > 0) checkJoinable(network.record);
      const endpoint = await this.#shared.plan(network, owner, settingsOf(request, name), taken);
      endpoints.push(endpoint);
      this.#occupy(endpoint);
    }
    const netns = join(this.#options.netnsDir, request.containerId);
    const live: Live = {
      owner,
      request,
      record: { containerId: request.containerId, endpoints, ports: {}, ...(mode.kind === "host" ? {} : { netns }) },
      names: undefined,
      published: undefined,
    };
    this.#files.save(live.record);
    undo.defer(() => this.#files.remove(request.containerId));
    if (live.record.netns !== undefined) {
      undo.defer(() => this.#options.driver.removeSandbox(netns, linksOf(live.record)));
      const { driver, userns } = this.#options;
      if (request.mapped === true && userns !== undefined) await driver.createSandboxOf(netns, userns);
      else driver.createSandbox(netns);
      for (const endpoint of endpoints) this.#attach(netns, endpoint);
      this.#setGateways(live.record);
    }
    undo.defer(() => this.#services.silence(live));
    await this.#services.answerNames(live);
    await this.#publish(live, this.#services.wanted(live));
    this.#live.set(request.containerId, live);
    undo.defer(() => void this.#live.delete(request.containerId));
    this.#relink();
    undo.move();
    return this.#sandbox(live);
  }

  /** Another container's sandbox as it is; it stays that container's to close. */
  #joined(containerId: string): Sandbox {
    const live = this.#live.get(containerId);
    if (live === undefined) throw new EngineError("conflict", `cannot join network namespace of a non running container: ${containerId}`);
    return { ...this.#sandbox(live), endpoints: {}, ports: {} };
  }

  async restore(request: SandboxRequest): Promise<Sandbox | undefined> {
    const mode = parseMode(request.mode);
    if (mode.kind === "container") return this.#restoreJoined(mode.id);
    const record = this.#dormant.get(request.containerId);
    if (record === undefined) return undefined;
    this.#options.networks.prepare();
    if (record.netns !== undefined && !this.#options.driver.sandboxLives(record.netns, linksOf(record))) {
      await this.#forget(request.containerId);
      return undefined;
    }
    this.#dormant.delete(request.containerId);
    const live: Live = { owner: ownerOf(request), request, record, names: undefined, published: undefined };
    this.#live.set(request.containerId, live);
    this.#relink();
    await this.#services.answerNames(live);
    try {
      await this.#publish(live, publicationsOf(record.ports));
    } catch (error) {
      this.#options.journal.warn(`container ${live.owner.containerName} goes on without its published ports`, error);
    }
    return this.#sandbox(live);
  }

  /** The other container may be taken up only after this one. */
  #restoreJoined(containerId: string): Sandbox | undefined {
    if (this.#live.has(containerId)) return this.#joined(containerId);
    const record = this.#dormant.get(containerId);
    if (record === undefined) return undefined;
    const { netns } = record;
    const interfaces = hostEnds(record);
    return { ...(netns === undefined ? {} : { netns }), endpoints: {}, ports: {}, interfaces, files: { hosts: "", resolvConf: "", hostname: "" } };
  }

  async close(containerId: string): Promise<void> {
    const live = this.#live.get(containerId);
    if (live === undefined) return await this.#forget(containerId);
    this.#live.delete(containerId);
    await this.#services.silence(live);
    this.#relink();
    this.#drop(live.record);
    await this.#shared.released();
  }

  /** Tells who may talk to whom where containers are kept apart. */
  #relink(): void {
    const on = (live: Live | undefined): string | undefined => live?.record.endpoints.find(({ networkName }) => networkName === "bridge")?.ipv4?.address;
    const pairs = [...this.#live.values()].flatMap((live) =>
      (live.request.links ?? []).flatMap((id): LinkedPair[] => {
        const other = this.#live.get(id);
        const [from, to] = [on(live), on(other)];
        return other === undefined || from === undefined || to === undefined ? [] : [{ from, to, ports: other.request.exposed.map(parsePort) }];
      }),
    );
    this.#options.driver.link(pairs);
  }

  async sweep(): Promise<void> {
    for (const containerId of [...this.#dormant.keys()]) await this.#forget(containerId);
  }

  rename(containerId: string, name: string): void {
    const live = this.#live.get(containerId);
    if (live === undefined) return;
    live.owner = { ...live.owner, containerName: bare(name) };
    const endpoints = live.record.endpoints.map((endpoint) => {
      const renamed = { ...endpoint, containerName: live.owner.containerName, dnsNames: dnsNames(live.owner, endpoint.settings.Aliases ?? []) };
      this.#unlist(endpoint);
      this.#list(renamed);
      this.#shared.hold(renamed);
      return renamed;
    });
    this.#update(live, { endpoints });
  }

  async connect(containerId: string, name: string, settings: EndpointSettings): Promise<Sandbox> {
    const live = this.#get(containerId);
    const network = this.#options.networks.get(name);
    const { netns, endpoints } = live.record;
    checkJoinable(network.record);
    if (netns === undefined) {
      throw new EngineError("invalidArgument", "container sharing network namespace with another container or host cannot be connected to any other network");
    }
    if (endpoints.some((endpoint) => endpoint.network === network.record.id)) {
      throw new EngineError("forbidden", `endpoint with name ${live.owner.containerName} already exists in network ${network.record.name}`);
    }
    checkEndpoint(network.record, settings);
    const taken = endpoints.map(({ containerInterface }) => containerInterface);
    const endpoint = await this.#shared.plan(network, live.owner, settings, taken);
    await using undo = new AsyncDisposableStack();
    this.#occupy(endpoint);
    undo.defer(() => this.#vacate(endpoint));
    this.#attach(netns, endpoint);
    undo.defer(() => this.#options.driver.detach(netns, linkOf(endpoint)));
    undo.defer(() => this.#update(live, { endpoints }));
    this.#update(live, { endpoints: [...endpoints.filter(({ containerInterface }) => containerInterface !== ""), endpoint] });
    this.#setGateways(live.record);
    await this.#services.answerNames(live);
    if (live.published === undefined) await this.#publish(live, this.#services.wanted(live));
    undo.move();
    this.#tell("connect", endpoint);
    return this.#sandbox(live);
  }

  async disconnect(containerId: string, name: string): Promise<Sandbox> {
    const live = this.#get(containerId);
    const network = this.#options.networks.get(name);
    const endpoint = live.record.endpoints.find((one) => one.network === network.record.id);
    if (endpoint === undefined) throw new EngineError("internal", `container ${containerId} is not connected to network ${network.record.name}`);
    if (live.record.netns === undefined) {
      const reason = "container was created in host network mode";
      throw new EngineError("invalidArgument", `cannot disconnect container from host network - ${reason}`);
    }
    const ports = publicationsOf(live.record.ports);
    if (endpoint === gatewayOf(live.record, 4)) await this.#services.unpublish(live);
    if (endpoint.containerInterface !== "") this.#options.driver.detach(live.record.netns, linkOf(endpoint));
    this.#vacate(endpoint);
    this.#update(live, { endpoints: live.record.endpoints.filter((one) => one !== endpoint) });
    this.#setGateways(live.record);
    await this.#shared.released();
    if (live.published === undefined) await this.#publish(live, ports);
    this.#tell("disconnect", endpoint);
    return this.#sandbox(live);
  }

  async republish(containerId: string, change: PortChange): Promise<Sandbox> {
    const live = this.#get(containerId);
    const ports = await this.#services.republish(live, change);
    live.request = { ...live.request, ports: portsAfter(live.request.ports, change, ports) };
    this.#update(live, { ports });
    return this.#sandbox(live);
  }

  /** Gives sockets back and leaves the sandboxes as they are, for the next engine. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const live of this.#live.values()) await this.#services.silence(live);
    if (this.#live.size === 0 && this.#dormant.size === 0) this.#options.networks.close();
    this.#live.clear();
  }

  #get(containerId: string): Live {
    const live = this.#live.get(containerId);
    if (live === undefined) throw new EngineError("conflict", `container ${containerId} is not running`);
    return live;
  }

  #attach(netns: string, endpoint: EndpointRecord): void {
    const { record } = this.#options.networks.get(endpoint.network);
    const [bridge, parent] = [bridgeOf(record), parentOf(record)];
    if (bridge !== undefined) this.#options.driver.attach(netns, bridge, linkOf(endpoint));
    if (parent !== undefined) this.#options.driver.attachToParent(netns, parent, linkOf(endpoint));
  }

  #setGateways(record: SandboxRecord): void {
    const gateways = ([4, 6] as const).flatMap((family) => {
      const endpoint =
        gatewayOf(record, family) ?? record.endpoints.find(({ direct, ipv4, ipv6 }) => direct === true && (family === 4 ? ipv4 : ipv6) !== undefined);
      const address = family === 4 ? endpoint?.ipv4?.gateway : endpoint?.ipv6?.gateway;
      return endpoint === undefined || address === undefined ? [] : [{ family, address, containerInterface: endpoint.containerInterface }];
    });
    if (record.netns !== undefined && gateways.length > 0) this.#options.driver.setGateways(record.netns, gateways);
  }

  async #publish(live: Live, what: readonly Publication[]): Promise<void> {
    const ports = await this.#services.publish(live, what);
    if (Object.keys(ports).length > 0 || Object.keys(live.record.ports).length > 0) this.#update(live, { ports });
  }

  #update(live: Live, change: Partial<SandboxRecord>): void {
    live.record = { ...live.record, ...change };
    this.#files.save(live.record);
  }

  /** Removes a sandbox that nothing serves any more. */
  #drop(record: SandboxRecord): void {
    if (record.netns !== undefined) this.#options.driver.removeSandbox(record.netns, linksOf(record));
    for (const endpoint of record.endpoints) this.#vacate(endpoint);
    this.#files.remove(record.containerId);
  }

  async #forget(containerId: string): Promise<void> {
    const record = this.#dormant.get(containerId);
    if (record === undefined) return;
    this.#dormant.delete(containerId);
    this.#drop(record);
  }

  #occupy(endpoint: EndpointRecord): void {
    const network = this.#options.networks.find(endpoint.network);
    if (network !== undefined) markEndpoint(network, endpoint);
    this.#list(endpoint);
  }

  #vacate(endpoint: EndpointRecord): void {
    const network = this.#options.networks.find(endpoint.network);
    if (network !== undefined) releaseEndpoint(network, endpoint);
    this.#unlist(endpoint);
    this.#shared.release(endpoint);
  }

  /** Of two that have an address the one that everybody knows keeps it. */
  #lose(endpoint: EndpointRecord): void {
    const live = this.#live.get(endpoint.container);
    this.#options.journal.error(
      `container ${endpoint.containerName} leaves network ${endpoint.networkName}: its address was given to another engine's container while this engine was away`,
    );
    if (live?.record.netns !== undefined) this.#options.driver.detach(live.record.netns, linkOf(endpoint));
  }

  #list(endpoint: EndpointRecord): void {
    this.#network(endpoint)?.endpoints.add(endpoint);
    this.#directory.add(endpoint);
  }

  #unlist(endpoint: EndpointRecord): void {
    this.#network(endpoint)?.endpoints.delete(endpoint);
    this.#directory.remove(endpoint);
  }

  #network(endpoint: EndpointRecord): LiveNetwork | undefined {
    return this.#options.networks.find(endpoint.network);
  }

  #tell(action: "connect" | "disconnect", endpoint: EndpointRecord): void {
    const type = this.#network(endpoint)?.record.driver ?? "bridge";
    this.#options.events.publish({
      type: "network",
      action,
      id: endpoint.network,
      attributes: { container: endpoint.container, name: endpoint.networkName, type },
    });
  }

  #sandbox(live: Live): Sandbox {
    const { netns, endpoints, ports } = live.record;
    return {
      ...(netns === undefined ? {} : { netns }),
      endpoints: Object.fromEntries(endpoints.map((endpoint) => [endpoint.networkName, endpointSettings(endpoint)])),
      ports,
      interfaces: hostEnds(live.record),
      files: this.#options.contents.files(live.record, live.request),
    };
  }
}

/** Docker writes names with a slash before them in places. */
const bare = (name: string): string => name.replace(/^\//, "");
const ownerOf = ({ containerId, containerName, hostname }: SandboxRequest): Owner => ({ containerId, containerName: bare(containerName), hostname });
