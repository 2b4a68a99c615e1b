import { randomBytes } from "node:crypto";
import type { IpamConfig } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { contains, type Family, familyOf, overlaps, parseCidr, type Prefix, prefixOf, prefixText } from "./address.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { type AddressPool, auxiliaryGateway, firstAddress, freeSubnet } from "./ipam.ts";
import type { NetworkRecord } from "./record.ts";

/** `none` and `host`, which have nothing to configure. */
export const plainRecord = (name: "none" | "host"): NetworkRecord => ({
  id: randomBytes(32).toString("hex"),
  name,
  created: formatNano(nowNano()),
  driver: name === "none" ? "null" : "host",
  enableIPv4: true,
  enableIPv6: false,
  internal: false,
  attachable: false,
  ipam: { Driver: "default", Options: null, Config: null },
  subnets: [],
  ownSubnets: false,
  options: {},
  labels: {},
});

/** What daemon.json says of the default bridge; absent is as dockerd without the key. */
export interface BridgeDefaults {
  /** `172.17.0.1/16`, or "" for the first free pool. */
  readonly bip: string;
  readonly mtu: number;
  /** The part of the subnet that containers get addresses of. */
  readonly fixedCidr?: string;
  readonly ipv6?: boolean;
  readonly bip6?: string;
  readonly fixedCidr6?: string;
  /** What containers route through instead of the bridge itself. */
  readonly defaultGateway?: string;
  readonly defaultGateway6?: string;
  readonly icc?: boolean;
  readonly ipMasq?: boolean;
  readonly iptables?: boolean;
  /** Where published ports listen when nothing is said; "" is every address. */
  readonly bindAddress?: string;
}

export interface DefaultBridge extends BridgeDefaults {
  readonly pools: readonly AddressPool[];
  readonly interface: string;
  /** The interface is somebody else's, with these addresses (`10.1.2.3/24`). */
  readonly foreign?: readonly string[];
  /** Subnets of other networks and routes of the host. */
  readonly used: readonly Prefix[];
}

/** The default bridge as configured now; `before` (an earlier start's) keeps its identity, and its subnets while the configuration does not say otherwise. */
export function defaultBridgeRecord(config: DefaultBridge, before: NetworkRecord | undefined): NetworkRecord {
  const { ipMasq = true, bindAddress = "", icc = true, ipv6 = false, iptables = true } = config;
  const masquerade = ipMasq && iptables;
  const ipam = ([4, ...(ipv6 ? ([6] as const) : [])] as const).map((family) => bridgeIpam(family, config, before));
  return {
    id: before?.id ?? randomBytes(32).toString("hex"),
    name: "bridge",
    created: before?.created ?? formatNano(nowNano()),
    driver: "bridge",
    enableIPv4: true,
    enableIPv6: ipv6,
    internal: false,
    attachable: false,
    ipam: { Driver: "default", Options: null, Config: ipam },
    subnets: ipam.map(({ Subnet: subnet, IPRange: range, Gateway: gateway, AuxiliaryAddresses: auxiliary = {} }) => {
      const [via] = Object.values(auxiliary);
      return { subnet, gateway, auxiliary: Object.values(auxiliary), ...(range === undefined ? {} : { range }), ...(via === undefined ? {} : { via }) };
    }),
    ownSubnets: false,
    options: {
      "com.docker.network.bridge.default_bridge": "true",
      "com.docker.network.bridge.enable_icc": String(icc),
      "com.docker.network.bridge.enable_ip_masquerade": String(masquerade),
      "com.docker.network.bridge.host_binding_ipv4": bindAddress || "0.0.0.0",
      "com.docker.network.bridge.name": config.interface,
      "com.docker.network.driver.mtu": String(config.mtu),
    },
    labels: {},
    bridge: {
      interface: config.interface,
      mtu: config.mtu,
      icc,
      masquerade,
      hostBinding: bindAddress,
      interfacePrefix: "eth",
      ...(config.foreign === undefined ? {} : { foreign: true }),
    },
  };
}

interface BridgeIpam extends IpamConfig {
  Subnet: string;
  Gateway: string;
}

function bridgeIpam(family: Family, config: DefaultBridge, before: NetworkRecord | undefined): BridgeIpam {
  const range = (family === 4 ? config.fixedCidr : config.fixedCidr6) ?? "";
  const via = (family === 4 ? config.defaultGateway : config.defaultGateway6) ?? "";
  const own = bridgeSubnet(family, range, config, before);
  if (via !== "" && !contains(prefixOf(own.Subnet), via)) {
    const sentence = `auxiliary address: (${auxiliaryGateway[family]}:${via}) must belong to the master pool: ${own.Subnet}`;
    throw new EngineError("invalidArgument", `error creating default "bridge" network: ${sentence}`);
  }
  return {
    Subnet: own.Subnet,
    ...(range === "" ? {} : { IPRange: range }),
    Gateway: own.Gateway,
    ...(via === "" ? {} : { AuxiliaryAddresses: { [auxiliaryGateway[family]]: via } }),
  };
}

/** The address asked for, the one that an interface of others has, the one of before, the range's first, or the first free pool's. */
function bridgeSubnet(family: Family, range: string, config: DefaultBridge, before: NetworkRecord | undefined): { Subnet: string; Gateway: string } {
  const there = config.foreign?.find((address) => familyOf(address.split("/")[0] ?? "") === family);
  const own = parseCidr((family === 4 ? config.bip : config.bip6) || (there ?? ""));
  if (own !== undefined) return { Subnet: prefixText(own.prefix), Gateway: own.address };
  const kept = before?.ipam.Config?.find(({ Subnet }) => Subnet !== undefined && prefixOf(Subnet).family === family);
  const fits = kept?.Subnet !== undefined && (range === "" || overlaps(prefixOf(kept.Subnet), prefixOf(range)));
  if (kept?.Subnet !== undefined && kept.Gateway !== undefined && fits) return { Subnet: kept.Subnet, Gateway: kept.Gateway };
  const chosen = range === "" ? freeSubnet(family, config.pools, config.used) : prefixOf(range);
  return { Subnet: prefixText(chosen), Gateway: firstAddress(chosen) };
}
