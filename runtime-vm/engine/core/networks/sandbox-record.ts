import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "#base/errors.ts";
import type { EndpointSettings, NetworkInspect, PortMap } from "#api/networks.ts";
import type { GatewayRoute, Link } from "./driver.ts";
import { interfaceSysctls } from "./endpoint-options.ts";

interface Address {
  readonly address: string;
  readonly length: number;
  readonly gateway: string;
}

/** One connection of a container to a network. */
export interface EndpointRecord {
  readonly id: string;
  /** The network's ID. */
  readonly network: string;
  readonly networkName: string;
  readonly container: string;
  readonly containerName: string;
  readonly containerInterface: string;
  readonly hostInterface: string;
  /** "" for the one that its parent has. */
  readonly mac: string;
  /** Traffic leaves by the interface itself, to no gateway. */
  readonly direct?: boolean;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
  /** Whether names are answered on this network (not on the default bridge). */
  readonly named: boolean;
  readonly dnsNames: readonly string[];
  /** Names on this network that only this endpoint knows: [target, alias]. */
  readonly links: readonly (readonly [string, string])[];
  /** As asked. */
  readonly settings: EndpointSettings;
}

/** A sandbox that was opened and not yet closed. `netns` is absent in host mode; endpoints on `host` and `none` have no interface. */
export interface SandboxRecord {
  readonly containerId: string;
  readonly netns?: string;
  readonly endpoints: readonly EndpointRecord[];
  /** One whose interface is just being made or removed; who finds it so removes what there is of it. */
  readonly changing?: EndpointRecord | undefined;
  /** As published; of `host` and `none` networks nothing is. */
  readonly ports: PortMap;
  /** What is asked to be published since that was changed while the container ran. */
  readonly asked?: PortMap;
}

/** The interfaces of a sandbox. */
export const linksOf = (record: SandboxRecord): Link[] => record.endpoints.filter(({ containerInterface }) => containerInterface !== "").map(linkOf);

/** Ends of them on this machine; what is on an interface of the machine has none. */
export const hostEnds = (record: SandboxRecord): string[] => linksOf(record).flatMap(({ hostInterface }) => (hostInterface === "" ? [] : [hostInterface]));

export const linkOf = (endpoint: EndpointRecord): Link => ({
  hostInterface: endpoint.hostInterface,
  containerInterface: endpoint.containerInterface,
  mac: endpoint.mac,
  addresses: [endpoint.ipv4, endpoint.ipv6].flatMap((address) => (address === undefined ? [] : [{ address: address.address, length: address.length }])),
  sysctls: interfaceSysctls(endpoint.settings, endpoint.containerInterface),
});

/** The endpoint that traffic leaves by: highest priority, then first by the network's name. */
export function gatewayOf(record: SandboxRecord, family: 4 | 6): EndpointRecord | undefined {
  const priority = (endpoint: EndpointRecord): number => endpoint.settings.GwPriority ?? 0;
  const [first] = record.endpoints
    .filter((endpoint) => ((family === 4 ? endpoint.ipv4 : endpoint.ipv6)?.gateway ?? "") !== "")
    .toSorted((a, b) => priority(b) - priority(a) || (a.networkName < b.networkName ? -1 : 1));
  return first;
}

/** Where packets to elsewhere go, of each family that has such a way. */
export function gatewaysOf(record: SandboxRecord): GatewayRoute[] {
  return ([4, 6] as const).flatMap((family) => {
    const endpoint =
      gatewayOf(record, family) ?? record.endpoints.find(({ direct, ipv4, ipv6 }) => direct === true && (family === 4 ? ipv4 : ipv6) !== undefined);
    const address = family === 4 ? endpoint?.ipv4?.gateway : endpoint?.ipv6?.gateway;
    return endpoint === undefined || address === undefined ? [] : [{ family, address, containerInterface: endpoint.containerInterface }];
  });
}

/** The endpoint that packets to elsewhere leave by; none on internal networks, nor where they leave by the interface itself. */
export const wayOut = (record: SandboxRecord): EndpointRecord | undefined => gatewayOf(record, 4) ?? gatewayOf(record, 6);

export const leadsOut = (record: SandboxRecord): boolean => wayOut(record) !== undefined || record.endpoints.some(({ direct }) => direct === true);

/** As a network's inspect shows it. */
export function endpointRow({ containerName, id, mac, ipv4, ipv6 }: EndpointRecord): NetworkInspect["Containers"][string] {
  const withLength = (address: { address: string; length: number } | undefined): string =>
    address === undefined ? "" : `${address.address}/${address.length}`;
  return { Name: containerName, EndpointID: id, MacAddress: mac, IPv4Address: withLength(ipv4), IPv6Address: withLength(ipv6) };
}

export function endpointSettings(endpoint: EndpointRecord): EndpointSettings {
  return {
    IPAMConfig: endpoint.settings.IPAMConfig ?? null,
    Links: endpoint.settings.Links ?? null,
    Aliases: endpoint.settings.Aliases ?? null,
    MacAddress: endpoint.mac,
    DriverOpts: endpoint.settings.DriverOpts ?? null,
    GwPriority: endpoint.settings.GwPriority ?? 0,
    NetworkID: endpoint.network,
    EndpointID: endpoint.id,
    Gateway: endpoint.ipv4?.gateway ?? "",
    IPAddress: endpoint.ipv4?.address ?? "",
    IPPrefixLen: endpoint.ipv4?.length ?? 0,
    IPv6Gateway: endpoint.ipv6?.gateway ?? "",
    GlobalIPv6Address: endpoint.ipv6?.address ?? "",
    GlobalIPv6PrefixLen: endpoint.ipv6?.length ?? 0,
    DNSNames: endpoint.named ? endpoint.dnsNames : null,
  };
}

/**
 * Sandboxes on disk, one file each, under the run directory: they outlive the engine's process but not the kernel they
 * live in, so nothing is synced to the disk and a torn file can only be from before a reboot.
 */
export class SandboxFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  all(): SandboxRecord[] {
    const records: SandboxRecord[] = [];
    for (const name of readdirSync(this.#dir)) {
      const path = join(this.#dir, name);
      try {
        if (name.endsWith(".json")) records.push(JSON.parse(readFileSync(path, "utf8")) as SandboxRecord);
        else rmSync(path, { force: true });
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        rmSync(path, { force: true });
      }
    }
    return records;
  }

  save(record: SandboxRecord): void {
    const path = join(this.#dir, `${record.containerId}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(record));
    renameSync(`${path}.new`, path);
  }

  remove(containerId: string): void {
    try {
      unlinkSync(join(this.#dir, `${containerId}.json`));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}
