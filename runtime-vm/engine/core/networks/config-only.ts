/** Networks that only hold a configuration (`--config-only`), and those that take theirs from one (`--config-from`). */
import type { NetworkCreateRequest } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { checkIpam, compact } from "./create-ipam.ts";
import type { NetworkRecord } from "./record.ts";

const denied = (message: string): EngineError => new EngineError("forbidden", message);

export function configRecord(request: NetworkCreateRequest, base: Pick<NetworkRecord, "id" | "name" | "created">): NetworkRecord {
  if ((request.ConfigFrom?.Network ?? "") !== "") throw denied("a configuration network cannot depend on another configuration network");
  if (request.Ingress === true || request.Internal === true || request.Attachable === true || (request.Scope ?? "") !== "") {
    const fields = "Network operator fields like [ ingress | internal | attachable | scope ] are not supported.";
    throw denied(`configuration network can only contain network specific fields. ${fields}`);
  }
  const config = request.IPAM?.Config ?? [];
  checkIpam(config, request.EnableIPv6 ?? false);
  return {
    ...base,
    driver: "null",
    enableIPv4: request.EnableIPv4 ?? true,
    enableIPv6: request.EnableIPv6 ?? false,
    internal: false,
    attachable: false,
    ipam: { Driver: request.IPAM?.Driver || "default", Options: request.IPAM?.Options ?? null, Config: config.length === 0 ? null : config.map(compact) },
    subnets: [],
    ownSubnets: false,
    options: { ...request.Options },
    labels: { ...request.Labels },
    configOnly: true,
  };
}

/** The request with what the network it names says; as it is when it names none. */
export function withConfiguration(request: NetworkCreateRequest, find: ((idOrName: string) => NetworkRecord | undefined) | undefined): NetworkCreateRequest {
  const name = request.ConfigFrom?.Network ?? "";
  if (name === "") return request;
  const said = (request.IPAM?.Config ?? []).length > 0 || request.EnableIPv6 === true || Object.keys(request.Labels ?? {}).length > 0;
  if (said) throw denied("user specified configurations are not supported if the network depends on a configuration network");
  if (Object.keys(request.Options ?? {}).length > 0) {
    throw denied("network driver options are not supported if the network depends on a configuration network");
  }
  const from = find?.(name);
  if (from === undefined) throw new EngineError("notFound", `configuration network ${JSON.stringify(name)} does not exist`);
  const { enableIPv4, enableIPv6, ipam, options, labels } = from;
  return { ...request, EnableIPv4: enableIPv4, EnableIPv6: enableIPv6, IPAM: ipam, Options: options, Labels: labels };
}
