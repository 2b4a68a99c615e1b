import { randomBytes } from "node:crypto";
import { parseCidr, type Prefix, prefixText } from "./address.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { type AddressPool, choosePool, firstAddress } from "./ipam.ts";
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

/** What daemon.json says of the default bridge. */
export interface BridgeDefaults {
  /** `172.17.0.1/16`, or "" for the first free pool. */
  readonly bip: string;
  readonly mtu: number;
  /** The part of the subnet that containers get addresses of. */
  readonly fixedCidr?: string;
  readonly ipMasq?: boolean;
  /** Where published ports listen when nothing is said; "" is every address. */
  readonly bindAddress?: string;
}

export interface DefaultBridge extends BridgeDefaults {
  readonly pools: readonly AddressPool[];
  readonly interface: string;
  /** Subnets of other networks and routes of the host. */
  readonly used: readonly Prefix[];
}

/** The default bridge as configured now; `before` (an earlier start's) keeps its identity, and its subnet while `bip` does not say otherwise. */
export function defaultBridgeRecord(config: DefaultBridge, before: NetworkRecord | undefined): NetworkRecord {
  const ipam = bridgeIpam(config, before);
  const { fixedCidr = "", ipMasq = true, bindAddress = "" } = config;
  return {
    id: before?.id ?? randomBytes(32).toString("hex"),
    name: "bridge",
    created: before?.created ?? formatNano(nowNano()),
    driver: "bridge",
    enableIPv4: true,
    enableIPv6: false,
    internal: false,
    attachable: false,
    ipam: { Driver: "default", Options: null, Config: [{ ...ipam, ...(fixedCidr === "" ? {} : { IPRange: fixedCidr }) }] },
    subnets: [{ subnet: ipam.Subnet, gateway: ipam.Gateway, auxiliary: [], ...(fixedCidr === "" ? {} : { range: fixedCidr }) }],
    ownSubnets: false,
    options: {
      "com.docker.network.bridge.default_bridge": "true",
      "com.docker.network.bridge.enable_icc": "true",
      "com.docker.network.bridge.enable_ip_masquerade": String(ipMasq),
      "com.docker.network.bridge.host_binding_ipv4": bindAddress || "0.0.0.0",
      "com.docker.network.bridge.name": config.interface,
      "com.docker.network.driver.mtu": String(config.mtu),
    },
    labels: {},
    bridge: { interface: config.interface, mtu: config.mtu, icc: true, masquerade: ipMasq, hostBinding: bindAddress, interfacePrefix: "eth" },
  };
}

function bridgeIpam(config: DefaultBridge, before: NetworkRecord | undefined): { Subnet: string; Gateway: string } {
  const own = parseCidr(config.bip);
  if (own !== undefined) return { Subnet: prefixText(own.prefix), Gateway: own.address };
  const [kept] = before?.ipam.Config ?? [];
  if (kept?.Subnet !== undefined && kept.Gateway !== undefined) return { Subnet: kept.Subnet, Gateway: kept.Gateway };
  const chosen = choosePool(4, config.pools, config.used);
  return { Subnet: prefixText(chosen), Gateway: firstAddress(chosen) };
}
