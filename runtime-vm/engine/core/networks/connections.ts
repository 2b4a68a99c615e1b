import type { EndpointSettings } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { attach, setGateways } from "./interfaces.ts";
import type { Members } from "./members.ts";
import { type Publication, publicationsOf } from "./ports.ts";
import { gatewayOf, linkOf, type SandboxRecord } from "./sandbox-record.ts";
import type { Live, SandboxServices, ServiceOptions } from "./services.ts";
import { checkEndpoint, checkJoinable } from "./settings.ts";
import type { SharedEndpoints } from "./shared-endpoints.ts";

interface Parts {
  readonly members: Members;
  readonly shared: SharedEndpoints;
  readonly services: SandboxServices;
}

/** Changes what an open sandbox is connected to. */
export class Connections {
  readonly #options: ServiceOptions;
  readonly #members: Members;
  readonly #shared: SharedEndpoints;
  readonly #services: SandboxServices;
  readonly #update: (live: Live, change: Partial<SandboxRecord>) => void;

  /** `update` records a change of a sandbox. */
  constructor(options: ServiceOptions, { members, shared, services }: Parts, update: (live: Live, change: Partial<SandboxRecord>) => void) {
    this.#options = options;
    this.#members = members;
    this.#shared = shared;
    this.#services = services;
    this.#update = update;
  }

  async connect(live: Live, name: string, settings: EndpointSettings): Promise<void> {
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
    this.#members.occupy(endpoint);
    undo.defer(() => this.#members.vacate(endpoint));
    this.#update(live, { changing: endpoint });
    undo.defer(() => this.#update(live, { endpoints, changing: undefined }));
    undo.defer(() => this.#options.driver.detach(netns, linkOf(endpoint)));
    attach(this.#options, netns, endpoint);
    this.#update(live, { endpoints: [...endpoints.filter(({ containerInterface }) => containerInterface !== ""), endpoint], changing: undefined });
    setGateways(this.#options, live.record);
    await this.#services.answerNames(live);
    if (live.published === undefined) await this.publish(live, this.#services.wanted(live));
    undo.move();
    this.#members.tell("connect", endpoint);
  }

  async disconnect(live: Live, name: string, { gone } = { gone: false }): Promise<void> {
    const network = this.#options.networks.get(name);
    const endpoint = live.record.endpoints.find((one) => one.network === network.record.id);
    if (endpoint === undefined && gone) return;
    if (endpoint === undefined) throw new EngineError("internal", `container ${live.record.containerId} is not connected to network ${network.record.name}`);
    if (live.record.netns === undefined) {
      const reason = "container was created in host network mode";
      throw new EngineError("invalidArgument", `cannot disconnect container from host network - ${reason}`);
    }
    const ports = publicationsOf(live.record.ports);
    if (endpoint === gatewayOf(live.record, 4)) await this.#services.unpublish(live);
    this.#update(live, { endpoints: live.record.endpoints.filter((one) => one !== endpoint), changing: endpoint });
    if (endpoint.containerInterface !== "") this.#options.driver.detach(live.record.netns, linkOf(endpoint));
    this.#members.vacate(endpoint);
    this.#update(live, { changing: undefined });
    setGateways(this.#options, live.record);
    await this.#shared.released();
    if (live.published === undefined) await this.publish(live, ports);
    this.#members.tell("disconnect", endpoint);
  }

  /** An engine ended while it connected the container to a network, or disconnected it: it is not connected. */
  finish(live: Live): void {
    const { netns, changing } = live.record;
    if (netns === undefined || changing === undefined) return;
    if (changing.containerInterface !== "") this.#options.driver.detach(netns, linkOf(changing));
    this.#update(live, { changing: undefined });
    setGateways(this.#options, live.record);
  }

  /** Publishes, and remembers where. */
  async publish(live: Live, what: readonly Publication[]): Promise<void> {
    const ports = await this.#services.publish(live, what);
    if (Object.keys(ports).length > 0 || Object.keys(live.record.ports).length > 0) this.#update(live, { ports });
  }
}
