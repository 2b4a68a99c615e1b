import type { IpamConfig, NetworkCreateRequest } from "#api/networks.ts";
import { t } from "./texts.ts";

export const networkDrivers = ["bridge", "macvlan", "ipvlan"] as const;

/** What is typed to make a network. Lists are lines of NAME=VALUE. */
export interface NetworkForm {
  readonly name: string;
  readonly driver: (typeof networkDrivers)[number];
  readonly subnet: string;
  readonly gateway: string;
  readonly range: string;
  readonly auxiliary: string;
  readonly ipv6: boolean;
  readonly subnet6: string;
  readonly gateway6: string;
  readonly internal: boolean;
  readonly options: string;
  readonly labels: string;
}

export const emptyNetworkForm: NetworkForm = {
  name: "",
  driver: "bridge",
  subnet: "",
  gateway: "",
  range: "",
  auxiliary: "",
  ipv6: false,
  subnet6: "",
  gateway6: "",
  internal: false,
  options: "",
  labels: "",
};

/** An IPv4 address as a number; undefined for any other text. */
function ipv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts === undefined || parts.some((part) => part > 255) ? undefined : parts.reduce((sum, part) => sum * 256 + part, 0);
}

interface Block {
  readonly first: number;
  readonly size: number;
}

function block(text: string): Block | undefined {
  const [address = "", bits = ""] = text.split("/");
  const at = ipv4(address);
  if (at === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  return { first: Math.floor(at / size) * size, size };
}

const holds = (outer: Block, first: number, size = 1): boolean => first >= outer.first && first + size <= outer.first + outer.size;
const address6 = /^(?=.*:.*:)[0-9a-fA-F:.]{2,45}$/;
const isSubnet6 = (text: string): boolean => address6.test(text.split("/")[0] ?? "") && /\/(?:\d{1,2}|1[01]\d|12[0-8])$/.test(text);
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export type NetworkMistakes = Partial<Record<keyof NetworkForm, string>>;

/** What cannot be right whatever the engine says: told before it is asked. */
export function networkMistakes(form: NetworkForm): NetworkMistakes {
  const texts = t.networks.mistakes;
  const mistakes: NetworkMistakes = {};
  const [subnet, gateway, range] = [form.subnet, form.gateway, form.range].map((text) => text.trim()) as [string, string, string];
  const within = block(subnet);
  if (!namePattern.test(form.name.trim())) mistakes.name = t.networks.nameInvalid;
  if (subnet !== "" && within === undefined) mistakes.subnet = t.networks.subnetInvalid;
  for (const field of ["gateway", "range", "auxiliary"] as const) if (form[field].trim() !== "" && subnet === "") mistakes[field] = texts.needsSubnet;
  if (within !== undefined) {
    const at = ipv4(gateway);
    if (gateway !== "" && (at === undefined || !holds(within, at))) mistakes.gateway = texts.notIn(subnet);
    const part = block(range);
    if (range !== "" && (part === undefined || !holds(within, part.first, part.size))) mistakes.range = texts.notIn(subnet);
    const outside = namedLines(form.auxiliary)?.find(([, value]) => !holds(within, ipv4(value) ?? -1));
    if (outside !== undefined) mistakes.auxiliary = texts.auxiliaryNotIn(outside[0], subnet);
  }
  for (const field of ["auxiliary", "options", "labels"] as const) if (namedLines(form[field]) === undefined) mistakes[field] = texts.lines;
  if (form.ipv6 && form.subnet6.trim() !== "" && !isSubnet6(form.subnet6.trim())) mistakes.subnet6 = texts.subnet6;
  if (form.ipv6 && form.gateway6.trim() !== "" && (form.subnet6.trim() === "" || !address6.test(form.gateway6.trim()))) mistakes.gateway6 = texts.gateway6;
  return mistakes;
}

/** Undefined when a line has no name, or no `=`. */
function namedLines(text: string): readonly (readonly [string, string])[] | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const pairs = lines
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, Math.max(0, line.indexOf("="))).trim(), line.slice(line.indexOf("=") + 1).trim()] as const);
  return pairs.some(([name]) => name === "") ? undefined : pairs;
}

const recordOf = (text: string): Record<string, string> => Object.fromEntries(namedLines(text) ?? []);

export function networkRequest(form: NetworkForm): NetworkCreateRequest {
  const config = [
    configOf(form.subnet, form.gateway, form.range, recordOf(form.auxiliary)),
    ...(form.ipv6 ? [configOf(form.subnet6, form.gateway6, "", {})] : []),
  ];
  const pools = config.filter((one) => one !== undefined);
  const [options, labels] = [recordOf(form.options), recordOf(form.labels)];
  return {
    Name: form.name.trim(),
    Driver: form.driver,
    Internal: form.internal,
    ...(form.ipv6 && { EnableIPv6: true }),
    ...(pools.length > 0 && { IPAM: { Driver: "default", Config: pools } }),
    ...(Object.keys(options).length > 0 && { Options: options }),
    ...(Object.keys(labels).length > 0 && { Labels: labels }),
  };
}

function configOf(subnet: string, gateway: string, range: string, auxiliary: Record<string, string>): IpamConfig | undefined {
  if (subnet.trim() === "") return undefined;
  return {
    Subnet: subnet.trim(),
    ...(gateway.trim() !== "" && { Gateway: gateway.trim() }),
    ...(range.trim() !== "" && { IPRange: range.trim() }),
    ...(Object.keys(auxiliary).length > 0 && { AuxiliaryAddresses: auxiliary }),
  };
}
