import type { EndpointSettings, NetworkCreateRequest, NetworkInspect, PortMap } from "#api/networks.ts";
import type { PortChange } from "./ports.ts";

/** What a container's network sandbox needs to be built. */
export interface SandboxRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  /** The Compose project it belongs to. */
  readonly project?: string;
  readonly domainname?: string;
  /** `bridge`, `none`, `host`, a network's name or id, `container:ID`. */
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  /** Addresses that it had, by network name, to have again where they are free. */
  readonly formerly?: Readonly<Record<string, readonly string[]>>;
  /** `80/tcp` -> host bindings; HostPort "" means a free one. */
  readonly ports: PortMap;
  readonly publishAll: boolean;
  readonly exposed: readonly string[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[]; readonly options: readonly string[] };
  readonly extraHosts: readonly string[];
  /** Ids of containers on the default bridge whose exposed ports it may reach although others may not (`--link`). */
  readonly links?: readonly string[];
  /** Its users are mapped: the network is its user namespace's. */
  readonly mapped?: boolean;
}

/** A built sandbox: recorded durably, found again after an engine restart. */
export interface Sandbox {
  /** nsfs file; absent in host mode. */
  readonly netns?: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly ports: PortMap;
  /** What later starts of the container are to publish, where that was changed while it ran. */
  readonly asked?: PortMap;
  /** Host-side interface names by the container's (`eth0`), for statistics. */
  readonly interfaces: readonly string[];
  /** Contents of the three files bound into the container. */
  readonly files: { readonly hosts: string; readonly resolvConf: string; readonly hostname: string };
}

export interface NetworkStore {
  list(filters: Readonly<Record<string, readonly string[]>>): NetworkInspect[];
  inspect(idOrName: string): NetworkInspect;
  create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }>;
  /** Class forbidden (403 as dockerd) while endpoints are connected or when predefined. */
  remove(idOrName: string): Promise<void>;
  /** Removes user-defined networks nobody is connected to; the names removed. */
  prune(filters: Readonly<Record<string, readonly string[]>>): Promise<string[]>;
}

export interface Sandboxes {
  /**
   * Everything or nothing: addresses, veth, nft, ports, DNS. Fails with dockerd's whole sentence (`failed to set up
   * container networking: ...`); occupied ports are class `internal`, for which it answers 500. Mode `container:ID` (the full
   * id) answers with that container's sandbox, which stays its to close. Events are the caller's to publish.
   */
  open(request: SandboxRequest): Promise<Sandbox>;
  /** After an engine restart, before any `open`: takes the sandbox up again (DNS sockets, port listeners). Undefined when it is not there any more: what was left of it is gone then. */
  restore(request: SandboxRequest): Promise<Sandbox | undefined>;
  /** Leaves nothing behind. Unknown or already closed is fine. */
  close(containerId: string): Promise<void>;
  /** Closes every sandbox an earlier engine left that `restore` did not take up. */
  sweep(): Promise<void>;
  /** Validates mode, endpoints, ports and DNS settings at container create, changing nothing. Unknown networks pass: they are reported at start, as dockerd does. */
  validate(request: SandboxRequest): void;
  /** The part of it that looks at endpoints, as a client wrote them; a network without settings is refused by name. */
  validateEndpoints(asked: Readonly<Record<string, EndpointSettings | null>>): void;
  /** The container has another name: it is known by that from now on. */
  rename(containerId: string, name: string): void;
  /** Connects an open sandbox to one more network, or from one; publishes the event. */
  connect(containerId: string, network: string, settings: EndpointSettings): Promise<Sandbox>;
  /** `gone`: it may not be connected any more, by an engine that ended before it could say so. */
  disconnect(containerId: string, network: string, opts?: { readonly gone: boolean }): Promise<Sandbox>;
  /** Changes the published ports of an open sandbox: all of the change or nothing, and other ports' connections go on. Class notFound for a removal of what is not published. */
  republish(containerId: string, change: PortChange): Promise<Sandbox>;
}

/** Where published ports are bound: here (native engine), or on the VM's host through the link. */
export interface PortPublisher {
  /** An address of this machine whose ports (`relayPort`) the one around it can reach: from there packet rules lead on. */
  readonly relayAddress?: string;
  /**
   * Binds and forwards to `target`. Rejects with class `conflict` when the port is occupied (`address already in use`, the
   * holder named where known), `unavailable` when the host has no such address family, else the reason. Returns the port bound.
   */
  publish(what: {
    proto: "tcp" | "udp";
    hostIp: string;
    hostPort: number;
    target: { address: string; port: number; netns?: string };
    relayPort?: number;
  }): Promise<AsyncDisposable & { readonly hostPort: number }>;
}
