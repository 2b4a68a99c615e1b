import type { ContainerSummary } from "#api/containers.ts";
import type { NetworkInspect } from "#api/networks.ts";
import { plainName } from "./format.ts";

/** The networks every engine has; it refuses to delete them. */
const builtIn = new Set(["bridge", "host", "none"]);
export const isBuiltIn = (network: Pick<NetworkInspect, "Name">): boolean => builtIn.has(network.Name);

export const subnetsOf = (network: NetworkInspect): string =>
  (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet])).join(", ");

/** Names of the containers, running or not, that are on the network. */
export const networkUsers = (containers: readonly ContainerSummary[], network: string): readonly string[] =>
  containers.filter(({ NetworkSettings }) => network in (NetworkSettings.Networks ?? {})).map(({ Names }) => plainName(Names));

/** Which containers reach each other: a column a network, a row a container that is on one of them. */
export interface NetworkMap {
  readonly networks: readonly string[];
  readonly rows: readonly NetworkMapRow[];
}

export interface NetworkMapRow {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  /** Its address by network; "" where it has none now. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Those it shares a network with, whom it reaches by name or by address. */
  readonly reaches: readonly string[];
}

/** Networks without containers are left out; those that put a container beside nobody are no way to anyone. */
export function networkMap(containers: readonly ContainerSummary[]): NetworkMap {
  const of = ({ NetworkSettings }: ContainerSummary): readonly string[] => Object.keys(NetworkSettings.Networks ?? {}).filter((name) => name !== "none");
  const members = Map.groupBy(
    containers.flatMap((container) => of(container).map((network) => ({ network, container }))),
    ({ network }) => network,
  );
  const rows = containers
    .filter((container) => of(container).length > 0)
    .map((container): NetworkMapRow => {
      const others = of(container).flatMap((network) => members.get(network)?.map((one) => one.container) ?? []);
      const names = new Set(others.filter(({ Id }) => Id !== container.Id).map(({ Names }) => plainName(Names)));
      return {
        id: container.Id,
        name: plainName(container.Names),
        running: container.State === "running",
        addresses: new Map(of(container).map((network) => [network, container.NetworkSettings.Networks?.[network]?.IPAddress ?? ""])),
        reaches: [...names].toSorted(),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { networks: [...members.keys()].toSorted(), rows };
}
