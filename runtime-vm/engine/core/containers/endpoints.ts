import { hostname as engineHostname } from "node:os";
import { EngineError } from "#base/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#api/containers.ts";
import type { EndpointSettings } from "#api/networks.ts";
import type { EngineConfig } from "../config/config.ts";
import type { SandboxRequest } from "../networks/networks.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";

/** Networks a container joins, by the names the request used, whose endpoints were checked; joining another container's network means none of one's own. */
export function requestedEndpoints(request: ContainerCreateRequest, hostConfig: HostConfig): Readonly<Record<string, EndpointSettings>> {
  const mode = hostConfig.NetworkMode ?? "bridge";
  if (mode.startsWith("container:") || request.NetworkDisabled === true) return {};
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [name, settings] of Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {}))
    endpoints[name === "default" ? "bridge" : name] = settings ?? {};
  if (!Object.hasOwn(endpoints, mode)) endpoints[mode] = {};
  const main = endpoints[mode];
  if (request.MacAddress && main?.MacAddress && request.MacAddress !== main.MacAddress) {
    const rule = "must match the endpoint-specific MAC address for the main network, or be left empty";
    throw new EngineError("invalidArgument", `the container-wide MAC address ${rule}`);
  }
  if (request.MacAddress && main !== undefined && !main.MacAddress) endpoints[mode] = { ...main, MacAddress: request.MacAddress };
  return endpoints;
}

/** The reference in `container:REFERENCE`: whose namespace is joined. */
export const containerJoined = (mode: string): string | undefined => /^container:(.+)$/.exec(mode)?.[1];

/** `container:REFERENCE` with the container's id, where there is one. */
export function modeById(catalog: Catalog, mode: string): string {
  const name = containerJoined(mode);
  const container = name === undefined ? undefined : catalog.find(name);
  return container === undefined ? mode : `container:${container.id}`;
}

/** The same for a container about to start: class notFound or conflict when it cannot be joined. */
export function joinableMode(catalog: Catalog, mode: string): string {
  const name = containerJoined(mode);
  if (name === undefined) return mode;
  const container = catalog.find(name);
  if (container === undefined) throw new EngineError("notFound", `joining network namespace of container: No such container: ${name}`);
  if (container.status === "restarting") {
    const wait = `Container ${container.id} is restarting, wait until the container is running`;
    throw new EngineError("conflict", `cannot join network namespace of container: ${wait}`);
  }
  if (container.run === undefined) {
    const state = `container ${container.name} is ${container.status}`;
    throw new EngineError("conflict", `cannot join network namespace of a non running container: ${state}`);
  }
  return `container:${container.id}`;
}

/** What the container's network sandbox is built from. */
export function sandboxRequest(
  config: EngineConfig,
  container: Pick<Container, "id" | "name" | "spec"> & Partial<Pick<Container, "formerly">>,
  mode: string,
  linkedHosts: readonly string[] = [],
): SandboxRequest {
  const { config: run, hostConfig, endpoints } = container.spec;
  // Without a default bridge, what would be on it is on no network.
  const bridgeless = config.bridge === "none" && isDefaultBridge(mode);
  return {
    containerId: container.id,
    containerName: container.name,
    hostname: run.Hostname ?? "",
    ...(run.Labels?.["com.docker.compose.project"] ? { project: run.Labels["com.docker.compose.project"] } : {}),
    mode: run.NetworkDisabled === true || bridgeless ? "none" : mode,
    endpoints: bridgeless ? {} : endpoints,
    ...(container.formerly === undefined ? {} : { formerly: container.formerly }),
    ports: hostConfig.PortBindings ?? {},
    publishAll: hostConfig.PublishAllPorts ?? false,
    exposed: Object.keys(run.ExposedPorts ?? {}).flatMap(portsIn),
    dns: {
      servers: nonEmpty(hostConfig.Dns) ?? config.dns,
      search: nonEmpty(hostConfig.DnsSearch) ?? config.dnsSearch,
      options: hostConfig.DnsOptions ?? [],
    },
    ...(run.Domainname ? { domainname: run.Domainname } : {}),
    extraHosts: [...(hostConfig.ExtraHosts ?? []), ...linkedHosts],
    ...(container.spec.mapped === true ? { mapped: true } : {}),
    links: (container.spec.links ?? []).map(({ id }) => id),
  };
}

/** `80-82/tcp` is three ports. */
function portsIn(text: string): string[] {
  const [, first = "", last, protocol = ""] = /^(\d+)-(\d+)(\/\w+)?$/.exec(text) ?? [];
  if (last === undefined) return [text.toLowerCase()];
  return Array.from({ length: Math.max(0, Number(last) - Number(first) + 1) }, (_, i) => `${Number(first) + i}${protocol.toLowerCase()}`);
}

const isDefaultBridge = (mode: string): boolean => ["", "default", "bridge"].includes(mode);

const nonEmpty = (list: readonly string[] | null | undefined): readonly string[] | undefined => (list && list.length > 0 ? list : undefined);

/** The name a container has for itself: its own short id, or the machine's where it shares the machine's network. */
export function hostnameFor(id: string, catalog: Catalog, request: ContainerCreateRequest): string {
  const mode = request.HostConfig?.NetworkMode ?? "";
  if (mode === "host") return engineHostname();
  const joined = containerJoined(mode);
  return (joined === undefined ? undefined : catalog.find(joined)?.spec.config.Hostname) ?? id.slice(0, 12);
}
