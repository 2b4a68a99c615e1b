/** Driver options of bridge networks (`com.docker.network.*`), refused in dockerd's words. */
import { EngineError } from "#base/errors.ts";
import { type Family, familyOf } from "./address.ts";
import { type BridgeSettings, type GatewayMode, gatewayModes } from "./record.ts";

type Options = Readonly<Record<string, string>>;

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);
const unparsable = (key: string, text: string, reason: string): EngineError => bad(`failed to parse ${key} value: ${text} (${reason})`);

const OPTION = {
  name: "com.docker.network.bridge.name",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  mtu: "com.docker.network.driver.mtu",
  interfacePrefix: "com.docker.network.container_iface_prefix",
  inhibitIPv4: "com.docker.network.bridge.inhibit_ipv4",
  trusted: "com.docker.network.bridge.trusted_host_interfaces",
} as const;

const MTU_DEFAULT = 1_500;

/** What else a network's settings depend on. */
export interface BridgeContext {
  readonly id: string;
  readonly internal: boolean;
  /** Bridge interface names in use by other networks, with their network. */
  readonly bridges: ReadonlyMap<string, string>;
}

export function bridgeSettings(options: Options, { id, internal, bridges }: BridgeContext): BridgeSettings {
  const name = options[OPTION.name] ?? "";
  const holder = bridges.get(name);
  if (holder !== undefined) {
    throw new EngineError("forbidden", `cannot create network ${id} (${name}): conflicts with network ${holder} (${name}): networks have same bridge name`);
  }
  if (name !== "" && !/^[^\s/:]{1,15}$/.test(name))
    throw bad(`invalid bridge name ${JSON.stringify(name)}: one to fifteen characters, no space, slash or colon`);
  const hostBinding = options[OPTION.hostBinding] ?? "";
  if (hostBinding !== "" && familyOf(hostBinding) === undefined) throw unparsable(OPTION.hostBinding, hostBinding, "nil ip");
  const modes = byFamily((family) => gatewayMode(options, family, internal));
  const hostAddresses = byFamily((family) => hostAddress(options, family));
  const trusted = (options[OPTION.trusted] ?? "").split(":").filter((one) => one !== "");
  return {
    interface: name === "" ? `br-${id.slice(0, 12)}` : name,
    mtu: mtuOption(options),
    icc: booleanOption(options, OPTION.icc, true),
    masquerade: booleanOption(options, OPTION.masquerade, true),
    hostBinding,
    interfacePrefix: options[OPTION.interfacePrefix] ?? "eth",
    ...(Object.keys(modes).length === 0 ? {} : { modes }),
    ...(Object.keys(hostAddresses).length === 0 ? {} : { hostAddresses }),
    ...(trusted.length === 0 ? {} : { trusted }),
    ...(booleanOption(options, OPTION.inhibitIPv4, false) ? { inhibitIPv4: true } : {}),
  };
}

function byFamily<T>(read: (family: Family) => T | undefined): Partial<Record<Family, T>> {
  const [ipv4, ipv6] = [read(4), read(6)];
  return { ...(ipv4 === undefined ? {} : { 4: ipv4 }), ...(ipv6 === undefined ? {} : { 6: ipv6 }) };
}

function gatewayMode(options: Options, family: Family, internal: boolean): GatewayMode | undefined {
  const key = `com.docker.network.bridge.gateway_mode_ipv${family}`;
  const text = options[key];
  if (text === undefined) return undefined;
  if (!(gatewayModes as readonly string[]).includes(text)) throw unparsable(key, text, `unknown gateway mode ${text}`);
  if (text === "isolated" && !internal) throw bad("gateway mode 'isolated' can only be used for an internal network");
  return text as GatewayMode;
}

function hostAddress(options: Options, family: Family): string | undefined {
  const key = `com.docker.network.host_ipv${family}`;
  const text = options[key] ?? "";
  if (text === "") return undefined;
  if (familyOf(text) === undefined) throw unparsable(key, text, "nil ip");
  if (familyOf(text) !== family) throw bad(`invalid ${key} ${text}: it is not an IPv${family} address`);
  return text;
}

function booleanOption(options: Options, key: string, absent: boolean): boolean {
  const text = options[key];
  const value = text === undefined ? absent : parseBoolean(text);
  if (value === undefined) throw unparsable(key, text ?? "", `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

/** As Go reads it. */
function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}

/** `com.docker.network.enable_ipv4` and `_ipv6`, which stand for fields of the request; undefined when not said. */
export function familyOption(options: Options, family: Family): boolean | undefined {
  const key = `com.docker.network.enable_ipv${family}`;
  const text = options[key];
  if (text === undefined) return undefined;
  const value = parseBoolean(text);
  if (value === undefined) throw bad(`driver-opt ${JSON.stringify(key)} is not a valid bool`);
  return value;
}

/** 0 is as without it. */
function mtuOption(options: Options): number {
  const text = options[OPTION.mtu] ?? "";
  if (text === "") return MTU_DEFAULT;
  if (!/^[+-]?\d+$/.test(text)) throw unparsable(OPTION.mtu, text, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw bad(`invalid MTU number: ${text}`);
  if (value !== 0 && (value < 68 || value > 65_535)) throw bad(`invalid ${OPTION.mtu} ${text}: an MTU is between 68 and 65535`);
  return value === 0 ? MTU_DEFAULT : value;
}
