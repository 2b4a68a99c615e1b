import type { EndpointSettings, NetworkCreateRequest, NetworkInspect, PortMap } from "#api/networks.ts";

/** What a container's network sandbox needs to be built. */
export interface SandboxRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  /** `bridge`, `none`, `host`, a network's name or id, `container:ID`. */
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  /** `80/tcp` -> host bindings; HostPort "" means a free one. */
  readonly ports: PortMap;
  readonly publishAll: boolean;
  readonly exposed: readonly string[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[]; readonly options: readonly string[] };
  readonly extraHosts: readonly string[];
}

/** A built sandbox: recorded durably, found again after an engine restart. */
export interface Sandbox {
  /** nsfs file; absent in host mode. */
  readonly netns?: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly ports: PortMap;
  /** Host-side interface names by the container's (`eth0`), for statistics. */
  readonly interfaces: readonly string[];
  /** Contents of the three files bound into the container. */
  readonly files: { readonly hosts: string; readonly resolvConf: string; readonly hostname: string };
}

export interface NetworkStore {
  list(filters: Readonly<Record<string, readonly string[]>>): NetworkInspect[];
  inspect(idOrName: string): NetworkInspect;
  create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }>;
  /** Conflict (403 as dockerd) while endpoints are connected or when predefined. */
  remove(idOrName: string): Promise<void>;
}

export interface Sandboxes {
  /** Everything or nothing: addresses, veth, nft, ports, DNS. Occupied ports are class `internal` with Docker's sentence (it answers 500 there). */
  open(request: SandboxRequest): Promise<Sandbox>;
  /** After an engine restart: takes the sandbox up again (DNS sockets, port listeners). */
  restore(request: SandboxRequest): Promise<Sandbox | undefined>;
  close(containerId: string): Promise<void>;
  /** Validates mode, endpoints and ports at container create, changing nothing. */
  validate(request: SandboxRequest): void;
}

/** Where published ports are bound: here (native engine), or on the VM's host through the link. */
export interface PortPublisher {
  /** Binds and forwards to `target`; rejects when the port is occupied, naming its holder where known. Returns the port bound. */
  publish(what: {
    proto: "tcp" | "udp";
    hostIp: string;
    hostPort: number;
    target: { address: string; port: number; netns?: string };
  }): Promise<AsyncDisposable & { readonly hostPort: number }>;
}
