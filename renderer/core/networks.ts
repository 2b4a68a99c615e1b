import type { ContainerSummary } from "#api/containers.ts";
import type { NetworkCreateRequest, NetworkInspect } from "#api/networks.ts";
import { plainName } from "./format.ts";

/** The networks every engine has; it refuses to delete them. */
const builtIn = new Set(["bridge", "host", "none"]);
export const isBuiltIn = (network: Pick<NetworkInspect, "Name">): boolean => builtIn.has(network.Name);

export const subnetsOf = (network: NetworkInspect): string =>
  (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet])).join(", ");

/** Names of the containers, running or not, that are on the network. */
export const networkUsers = (containers: readonly ContainerSummary[], network: string): readonly string[] =>
  containers.filter(({ NetworkSettings }) => network in (NetworkSettings.Networks ?? {})).map(({ Names }) => plainName(Names));

const subnetPattern = /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$|^[0-9a-fA-F:]+\/\d{1,3}$/;
export const isSubnet = (text: string): boolean => subnetPattern.test(text);

export function networkRequest(form: { readonly name: string; readonly subnet: string; readonly internal: boolean }): NetworkCreateRequest {
  const subnet = form.subnet.trim();
  return {
    Name: form.name.trim(),
    Driver: "bridge",
    Internal: form.internal,
    ...(subnet !== "" && { IPAM: { Driver: "default", Config: [{ Subnet: subnet }] } }),
  };
}
