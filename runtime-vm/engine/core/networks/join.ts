/** A network that several engines have: joined under its name, or made for all of them. */
import type { NetworkCreateRequest } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { overlaps, type Prefix, prefixOf, prefixText } from "./address.ts";
import { buildRecord, type CreateContext } from "./create.ts";
import type { NetworkRecord } from "./record.ts";
import type { SharedNetworks } from "./shared.ts";

export interface JoinContext extends CreateContext {
  /** Of this engine's networks. */
  readonly names: ReadonlySet<string>;
}

export function checkNew(name: string, names: ReadonlySet<string>): void {
  if (names.has(name)) throw new EngineError("conflict", `network with name ${name} already exists`);
}

/** The network of that name of all engines, which is made of the request when it is the first one. `context` is asked anew after each wait. */
export async function joinNetwork(request: NetworkCreateRequest, shared: SharedNetworks, context: () => JoinContext): Promise<NetworkRecord> {
  const { mtu } = shared;
  // Refused is what nobody could have, whatever others made of the name.
  buildRecord(request, { ...context(), overlay: { vni: 0, mtu } });
  const record = await shared.join(request.Name, ({ used, vni }) => {
    const now = context();
    return buildRecord(request, { ...now, used: [...now.used, ...used], overlay: { vni, mtu } });
  });
  const { names, used } = context();
  checkNew(request.Name, names);
  try {
    checkJoined(request, record, used);
  } catch (error) {
    await shared.leave(record);
    throw error;
  }
  return record;
}

/** Whether the network that others have made suits what was asked for here, and this engine's own. */
function checkJoined(request: NetworkCreateRequest, record: NetworkRecord, own: readonly Prefix[]): void {
  const subnets = record.subnets.map(({ subnet }) => prefixOf(subnet));
  const has = `network ${record.name} is there on other engines with subnet ${subnets.map(prefixText).join(", ")}`;
  for (const { Subnet = "" } of request.IPAM?.Config ?? []) {
    if (Subnet !== "" && !subnets.some((subnet) => prefixText(subnet) === prefixText(prefixOf(Subnet)))) {
      throw new EngineError("forbidden", `${has}, not with ${Subnet}: leave the subnet out, or give the network another name`);
    }
  }
  const clash = own.find((other) => subnets.some((subnet) => overlaps(subnet, other)));
  if (clash !== undefined) throw new EngineError("forbidden", `${has}, which overlaps with this engine's network ${prefixText(clash)}`);
}
