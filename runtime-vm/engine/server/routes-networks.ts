import { bool, list, map, type Shape, string, struct } from "#api/decode.ts";
import type { NetworkCreateRequest, NetworkInspect } from "#api/networks.ts";
import { type ApiVersion, has } from "#api/versions.ts";
import { EngineError } from "#base/errors.ts";
import type { NetworkStore } from "#core/networks/networks.ts";
import { type Route, route } from "./router.ts";

const ipamConfig = struct("network.IPAMConfig", { Subnet: string, IPRange: string, Gateway: string, AuxiliaryAddresses: map(string) });

/** Body of `POST /networks/create`. */
const createNetworkShape: Shape = struct("network.CreateRequest", {
  Name: string,
  CheckDuplicate: bool,
  Driver: string,
  Scope: string,
  EnableIPv4: bool,
  EnableIPv6: bool,
  IPAM: struct("network.IPAM", { Driver: string, Options: map(string), Config: list(ipamConfig) }),
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: struct("network.ConfigReference", { Network: string }),
  Options: map(string),
  Labels: map(string),
});

export const networkRoutes = (networks: NetworkStore): readonly Route[] => [
  route("GET", "/networks", ({ query, version }) => ({ status: 200, json: listed(networks, query.filters(), version) })),
  route("POST", "/networks/create", async ({ json, version }) => {
    const body = ((await json(createNetworkShape)) ?? {}) as Partial<NetworkCreateRequest>;
    const { EnableIPv4, ...older } = body;
    const enable = EnableIPv4 === undefined || !has(version, "networkEnableIPv4") ? {} : { EnableIPv4 };
    return { status: 201, json: await networks.create({ ...older, ...enable, Name: body.Name ?? "" }) };
  }),
  route("POST", "/networks/prune", async ({ query }) => ({ status: 200, json: { NetworksDeleted: nullIfEmpty(await networks.prune(query.filters())) } })),
  route("GET", "/networks/{id}", ({ params, query }) => {
    checkBool("verbose", query.get("verbose"));
    const scope = query.get("scope");
    const network = networks.inspect(params.id);
    if (scope !== "" && scope !== network.Scope) throw new EngineError("notFound", `network ${params.id} not found`);
    return { status: 200, json: network };
  }),
  route("DELETE", "/networks/{id}", async ({ params }) => {
    await networks.remove(params.id);
    return { status: 204 };
  }),
];

function listed(networks: NetworkStore, filters: Parameters<NetworkStore["list"]>[0], version: ApiVersion): NetworkInspect[] {
  const rows = networks.list(filters);
  return has(version, "networkListWithoutContainers") ? rows : rows.map(({ Id }) => networks.inspect(Id));
}

/** Go prints a list nothing was put into as null. */
const nullIfEmpty = (names: string[]): string[] | null => (names.length === 0 ? null : names);

function checkBool(name: string, text: string): void {
  if (text === "" || /^(?:1|0|t|f|T|F|true|false|True|False|TRUE|FALSE)$/.test(text)) return;
  throw new EngineError("invalidArgument", `invalid value for ${name}: ${text}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
