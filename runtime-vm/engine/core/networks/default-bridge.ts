/** The network `bridge`, which daemon.json shapes. */
import { EngineError, isClass } from "#base/errors.ts";
import { parseCidr, type Prefix } from "./address.ts";
import type { NetworkDriver } from "./driver.ts";
import type { AddressPool } from "./ipam.ts";
import { type BridgeDefaults, defaultBridgeRecord } from "./predefined.ts";
import type { NetworkRecord } from "./record.ts";

export type BridgeSettings = BridgeDefaults & { readonly bridge?: string };

/** Its usual name, and the one taken where somebody else's Docker has that. */
const USUAL_NAMES = ["docker0", "slipway0"] as const;

export const wantsBridge = ({ bridge }: BridgeSettings): boolean => bridge !== "none";

/** Whether daemon.json says anything of it that may be refused. */
export const asksForBridge = ({ bip, bip6, bridge, fixedCidr, fixedCidr6, defaultGateway, defaultGateway6 }: BridgeSettings): boolean =>
  [bip, bip6, bridge, fixedCidr, fixedCidr6, defaultGateway, defaultGateway6].some((text = "") => text !== "");

export interface DefaultBridgeContext {
  readonly settings: BridgeSettings;
  readonly pools: readonly AddressPool[];
  readonly driver: NetworkDriver;
  /** What it was when it was last here. */
  readonly before: NetworkRecord | undefined;
  readonly used: readonly Prefix[];
  /** Makes it in the kernel; class conflict when the interface is somebody else's. */
  ensure(record: NetworkRecord): void;
}

/** It as it is now, made. */
export function openDefaultBridge({ settings, pools, driver, before, used: own, ensure }: DefaultBridgeContext): NetworkRecord {
  const { bip, bridge = "" } = settings;
  if (bip !== "" && parseCidr(bip) === undefined)
    throw new EngineError("invalidArgument", `bip ${bip} is not an address with a prefix length, like 172.17.0.1/16`);
  const used = [...own, ...(before === undefined ? driver.routes() : [])];
  if (bridge !== "" && bridge !== USUAL_NAMES[0]) {
    const record = defaultBridgeRecord({ ...settings, pools, interface: bridge, foreign: driver.addressesOf(bridge), used }, before);
    ensure(record);
    return record;
  }
  const names = new Set([...(before?.bridge === undefined || before.bridge.foreign === true ? [] : [before.bridge.interface]), ...USUAL_NAMES]);
  let refused: unknown;
  for (const name of names) {
    const record = defaultBridgeRecord({ ...settings, pools, interface: name, used }, before);
    try {
      ensure(record);
      return record;
    } catch (error) {
      if (!isClass(error, "conflict")) throw error;
      refused = error;
    }
  }
  throw refused;
}
