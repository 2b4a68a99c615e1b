/** From a create request to a network record: everything dockerd checks, in its words. */
import { randomBytes } from "node:crypto";
import type { NetworkCreateRequest } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { bridgeSettings, familyOption } from "./bridge-options.ts";
import { configRecord, withConfiguration } from "./config-only.ts";
import { type IpamContext, planSubnets } from "./create-ipam.ts";
import { isRouted, parentSettings } from "./parent-options.ts";
import { isPredefined, type NetworkRecord, type OverlaySettings } from "./record.ts";

export interface CreateContext extends IpamContext {
  /** Bridge interface names in use by other networks, with their network. */
  readonly bridges: ReadonlyMap<string, string>;
  /** What a network between engines gets; absent: there can be none. */
  readonly overlay?: OverlaySettings & { readonly mtu: number };
  /** The configuration-only network of that name or id. */
  readonly configuration?: (idOrName: string) => NetworkRecord | undefined;
}

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);
const denied = (message: string): EngineError => new EngineError("forbidden", message);

export function buildRecord(asked: NetworkCreateRequest, context: CreateContext): NetworkRecord {
  checkName(asked.Name ?? "");
  const base = { id: randomBytes(32).toString("hex"), name: asked.Name, created: formatNano(nowNano()) };
  if (asked.ConfigOnly === true) return configRecord(asked, base);
  if (asked.Ingress === true) throw denied("Ingress network can only be global scope network");
  if (asked.Scope === "swarm") throw denied("cannot create a swarm scoped network when swarm is not active");
  const request = withConfiguration(asked, context.configuration);
  const driver = driverOf(request.Driver ?? "", context);
  const options = { ...request.Options };
  const on = { 4: familyOption(options, 4) ?? request.EnableIPv4 ?? true, 6: familyOption(options, 6) ?? request.EnableIPv6 ?? false };
  if (!on[4] && !on[6]) throw bad("IPv4 or IPv6 must be enabled");
  const { id } = base;
  const internal = request.Internal ?? false;
  const overlay = driver === "overlay" ? overlaySettings(options, context) : undefined;
  const parent = driver === "macvlan" || driver === "ipvlan" ? parentSettings(driver, options, id) : undefined;
  const defaults = overlay === undefined ? {} : { "com.docker.network.driver.mtu": String(overlay.mtu) };
  const bridge = parent === undefined ? bridgeSettings({ ...defaults, ...options }, { id, internal, bridges: context.bridges }) : undefined;
  const gateway = (family: 4 | 6): boolean =>
    parent !== undefined ? !internal && !isRouted(parent) : bridge === undefined || bridge.modes?.[family] !== "isolated";
  const { subnets, config } = planSubnets(
    request,
    { on, gateway, many: bridge === undefined },
    overlay === undefined ? context : { ...context, pools: OVERLAY_POOLS },
  );
  return {
    ...base,
    driver,
    enableIPv4: on[4],
    enableIPv6: on[6],
    internal: internal || parent?.dummy === true,
    attachable: request.Attachable ?? false,
    ipam: { Driver: "default", Options: request.IPAM?.Options ?? null, Config: config },
    subnets,
    ownSubnets: (request.IPAM?.Config ?? []).length > 0,
    options,
    labels: { ...request.Labels },
    ...(bridge === undefined ? {} : { bridge }),
    ...(parent === undefined ? {} : { parent }),
    ...(overlay === undefined ? {} : { overlay: { vni: overlay.vni } }),
    ...(asked.ConfigFrom?.Network ? { configFrom: asked.ConfigFrom.Network } : {}),
  };
}

function checkName(name: string): void {
  if (name.trim() === "") throw bad("invalid name: name is empty");
  if (isPredefined(name) || name === "default") throw denied(`operation is not permitted on predefined ${name} network `);
}

/** dockerd's for networks between hosts. */
const OVERLAY_POOLS = [{ base: "10.0.0.0/8", size: 24 }] as const;

function overlaySettings(options: Readonly<Record<string, string>>, { overlay }: CreateContext): OverlaySettings & { readonly mtu: number } {
  if (overlay === undefined) throw denied(NO_SWARM);
  const encrypted = options["encrypted"];
  if (encrypted !== undefined && encrypted !== "false") {
    const instead = "keep it on a network you trust, or let the hosts reach each other through a tunnel (WireGuard, IPsec) and advertise its address";
    throw bad(`--opt encrypted: this engine does not encrypt what it sends between hosts: ${instead}`);
  }
  return overlay;
}

const NO_SWARM = `This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`;

function driverOf(driver: string, { overlay }: CreateContext): "bridge" | "macvlan" | "ipvlan" | "overlay" {
  switch (driver) {
    case "":
    case "bridge":
      return "bridge";
    case "macvlan":
    case "ipvlan":
      return driver;
    case "host":
    case "null":
      throw denied(`only one instance of ${JSON.stringify(driver)} network is allowed`);
    case "overlay":
      if (overlay === undefined) throw denied(NO_SWARM);
      return driver;
    default:
      throw new EngineError("notFound", `plugin ${JSON.stringify(driver)} not found`);
  }
}
