import { contains, parseCidr } from "./address.ts";
import { type HostFile, hostResolvConf } from "./host.ts";
import type { SandboxRequest } from "./networks.ts";
import { hostsFile, ownNames, reachableFromContainers, type ResolvConf, resolvConfFile } from "./files.ts";
import { leadsOut, type SandboxRecord } from "./sandbox-record.ts";

export interface ContentsOptions {
  readonly hostFile: HostFile;
  /** The engine's own `dns`, `dns-search`, `dns-opts`. */
  readonly defaults: ResolvConf;
  /** Every container with an interface asks 127.0.0.11, on the default bridge too: where the host's resolvers are asked in another way than by packets. */
  readonly resolveInside: boolean;
  /** Names that our resolver answers; where another is asked they are in the hosts file. */
  readonly fixedNames: ReadonlyMap<string, string>;
  /** What `host-gateway` stands for in `--add-host`; several addresses with spaces between. */
  readonly hostGateway: () => string;
}

/** Decides what containers read about names, and whom our own resolver asks. */
export class SandboxContents {
  readonly #options: ContentsOptions;

  constructor(options: ContentsOptions) {
    this.#options = options;
  }

  /** Whether the sandbox's resolver is 127.0.0.11. */
  internal(record: SandboxRecord, request: SandboxRequest): boolean {
    if (record.endpoints.some(({ named }) => named)) return true;
    if (!record.endpoints.some(({ containerInterface }) => containerInterface !== "")) return false;
    const { servers } = this.#asked(request);
    if (servers.length > 0) return false;
    // A resolver on the host's loopback is out of reach for the container, but not for us.
    return this.#options.resolveInside || this.#host().servers.every((server) => !reachableFromContainers(server));
  }

  /**
   * Resolvers asked for, by the container or the engine's configuration; undefined: the host's. Who has no way out learns
   * nothing from outside by names either: only resolvers on its own networks are asked.
   */
  upstreams(record: SandboxRecord, request: SandboxRequest): readonly string[] | undefined {
    const { servers } = this.#asked(request);
    if (leadsOut(record)) return servers.length === 0 ? undefined : servers;
    const near = record.endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).map((at) => at && parseCidr(`${at.address}/${at.length}`)?.prefix);
    return servers.filter((server) => near.some((subnet) => subnet !== undefined && contains(subnet, server)));
  }

  files(record: SandboxRecord, request: SandboxRequest): { hosts: string; resolvConf: string; hostname: string } {
    const hostMode = record.netns === undefined;
    const hostsBase = hostMode ? this.#options.hostFile("/etc/hosts") : "";
    const kind = hostMode ? "host" : this.internal(record, request) ? "internal" : "legacy";
    const host = this.#host();
    return {
      hosts: hostsFile({
        ...(hostsBase === "" ? {} : { base: hostsBase.endsWith("\n") ? hostsBase : `${hostsBase}\n` }),
        hostname: ownNames(request.hostname, request.domainname),
        extraHosts: [...(kind === "internal" ? [] : [...this.#options.fixedNames].map(([name, address]) => `${name}:${address}`)), ...request.extraHosts],
        hostGateway: this.#options.hostGateway(),
        endpoints: record.endpoints,
      }),
      resolvConf: resolvConfFile({
        host: kind === "legacy" ? { ...host, servers: host.servers.filter(reachableFromContainers) } : host,
        asked: this.#asked(request),
        kind,
      }),
      hostname: `${request.hostname}\n`,
    };
  }

  #asked({ dns }: SandboxRequest): ResolvConf {
    const { defaults } = this.#options;
    return {
      servers: dns.servers.length > 0 ? dns.servers : defaults.servers,
      search: dns.search.length > 0 ? dns.search : defaults.search,
      options: dns.options.length > 0 ? dns.options : defaults.options,
    };
  }

  #host(): ResolvConf {
    return hostResolvConf(this.#options.hostFile);
  }
}
