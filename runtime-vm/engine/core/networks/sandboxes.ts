import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { EndpointSettings } from "#api/networks.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { EventLog } from "../events/events.ts";
import type { Journal } from "../journal/journal.ts";
import { Connections } from "./connections.ts";
import { DormantSandboxes } from "./dormant.ts";
import { attach, setGateways } from "./interfaces.ts";
import { linkedPairs } from "./links.ts";
import { Members } from "./members.ts";
import { Directory } from "./names.ts";
import type { Sandbox, Sandboxes, SandboxRequest } from "./networks.ts";
import { bare, dnsNames, ownerOf } from "./plan.ts";
import { type PortChange, portsAfter, publicationsOf } from "./ports.ts";
import { type EndpointRecord, endpointSettings, hostEnds, linkOf, linksOf, SandboxFiles, type SandboxRecord } from "./sandbox-record.ts";
import { type Live, type ServiceOptions, SandboxServices } from "./services.ts";
import { SharedEndpoints } from "./shared-endpoints.ts";
import { checkEndpoints, checkJoinable, checkRequest, networksOf, parseMode, settingsOf } from "./settings.ts";

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
  readonly #members: Members;
  readonly #services: SandboxServices;
  readonly #shared: SharedEndpoints;
  readonly #connections: Connections;
  readonly #live = new Map<string, Live>();
  readonly #dormant: DormantSandboxes;

  constructor(options: SandboxOptions) {
    this.#options = options;
    mkdirSync(options.netnsDir, { recursive: true, mode: 0o711 });
    this.#files = new SandboxFiles(options.recordsDir);
    const directory = new Directory(options.fixedNames);
    this.#services = new SandboxServices(options, directory);
    this.#shared = new SharedEndpoints(options, directory);
    this.#members = new Members(options, directory, this.#shared);
    this.#connections = new Connections(options, { members: this.#members, shared: this.#shared, services: this.#services }, (live, change) =>
      this.#update(live, change),
    );
    this.#dormant = new DormantSandboxes({ ...options, files: this.#files, members: this.#members, shared: this.#shared });
    this.#shared.follow((endpoint) => this.#lose(endpoint));
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
    this.#dormant.forget(request.containerId);
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
    undo.defer(() => endpoints.forEach((endpoint) => this.#members.vacate(endpoint)));
    for (const name of networksOf(request)) {
      const taken = endpoints.map(({ containerInterface }) => containerInterface);
      const network = this.#options.networks.get(name);
      if (network.record.configOnly === true) throw new EngineError("forbidden", "cannot create endpoint on configuration-only network");
      if (endpoints.length > 0) checkJoinable(network.record);
      const endpoint = await this.#shared.plan(network, owner, settingsOf(request, name), taken);
      endpoints.push(endpoint);
      this.#members.occupy(endpoint);
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
      for (const endpoint of endpoints) attach(this.#options, netns, endpoint);
      setGateways(this.#options, live.record);
    }
    undo.defer(() => this.#services.silence(live));
    await this.#services.answerNames(live);
    await this.#connections.publish(live, this.#services.wanted(live));
    this.#live.set(request.containerId, live);
    undo.defer(() => void this.#live.delete(request.containerId));
    this.#options.driver.link(linkedPairs(this.#live));
    undo.move();
    return this.#sandbox(live);
  }

  /** Another container's sandbox as it is; it stays that container's to close. */
  #joined(containerId: string): Sandbox {
    const live = this.#live.get(containerId);
    if (live === undefined) throw new EngineError("conflict", `cannot join network namespace of a non running container: ${containerId}`);
    const { asked: _, ...sandbox } = this.#sandbox(live);
    return { ...sandbox, endpoints: {}, ports: {} };
  }

  async restore(request: SandboxRequest): Promise<Sandbox | undefined> {
    const mode = parseMode(request.mode);
    if (mode.kind === "container") return this.#restoreJoined(mode.id);
    const record = this.#dormant.get(request.containerId);
    if (record === undefined) return undefined;
    this.#options.networks.prepare();
    if (record.netns !== undefined && !this.#options.driver.sandboxLives(record.netns, linksOf(record))) {
      this.#dormant.forget(request.containerId);
      return undefined;
    }
    this.#dormant.wake(request.containerId);
    const { asked: ports = request.ports } = record;
    const live: Live = { owner: ownerOf(request), request: { ...request, ports }, record, names: undefined, published: undefined };
    this.#connections.finish(live);
    this.#live.set(request.containerId, live);
    this.#options.driver.link(linkedPairs(this.#live));
    await this.#services.answerNames(live);
    try {
      await this.#connections.publish(live, publicationsOf(record.ports));
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
    if (live === undefined) return this.#dormant.forget(containerId);
    this.#live.delete(containerId);
    await this.#services.silence(live);
    this.#options.driver.link(linkedPairs(this.#live));
    this.#dormant.drop(live.record);
    await this.#shared.released();
  }

  async sweep(): Promise<void> {
    this.#dormant.forgetAll();
  }

  rename(containerId: string, name: string): void {
    const live = this.#live.get(containerId);
    if (live === undefined) return;
    live.owner = { ...live.owner, containerName: bare(name) };
    const endpoints = live.record.endpoints.map((endpoint) => {
      const renamed = { ...endpoint, containerName: live.owner.containerName, dnsNames: dnsNames(live.owner, endpoint.settings.Aliases ?? []) };
      this.#members.replace(endpoint, renamed);
      return renamed;
    });
    this.#update(live, { endpoints });
  }

  async connect(containerId: string, name: string, settings: EndpointSettings): Promise<Sandbox> {
    const live = this.#get(containerId);
    await this.#connections.connect(live, name, settings);
    return this.#sandbox(live);
  }

  async disconnect(containerId: string, name: string, opts?: { gone: boolean }): Promise<Sandbox> {
    const live = this.#get(containerId);
    await this.#connections.disconnect(live, name, opts);
    return this.#sandbox(live);
  }

  async republish(containerId: string, change: PortChange): Promise<Sandbox> {
    const live = this.#get(containerId);
    const ports = await this.#services.republish(live, change);
    const asked = portsAfter(live.request.ports, change, ports);
    live.request = { ...live.request, ports: asked };
    this.#update(live, { ports, asked });
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

  #update(live: Live, change: Partial<SandboxRecord>): void {
    live.record = { ...live.record, ...change };
    this.#files.save(live.record);
  }

  /** Of two that have an address the one that everybody knows keeps it. */
  #lose(endpoint: EndpointRecord): void {
    const live = this.#live.get(endpoint.container);
    this.#options.journal.error(
      `container ${endpoint.containerName} leaves network ${endpoint.networkName}: its address was given to another engine's container while this engine was away`,
    );
    if (live?.record.netns !== undefined) this.#options.driver.detach(live.record.netns, linkOf(endpoint));
  }

  #sandbox(live: Live): Sandbox {
    const { netns, endpoints, ports, asked } = live.record;
    return {
      ...(netns === undefined ? {} : { netns }),
      ...(asked === undefined ? {} : { asked }),
      endpoints: Object.fromEntries(endpoints.map((endpoint) => [endpoint.networkName, endpointSettings(endpoint)])),
      ports,
      interfaces: hostEnds(live.record),
      files: this.#options.contents.files(live.record, live.request),
    };
  }
}
