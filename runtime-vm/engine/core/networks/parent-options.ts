/** Driver options of macvlan and ipvlan networks, whose containers are on the network of an interface of the machine. */
import { EngineError } from "#base/errors.ts";
import type { ParentSettings } from "./record.ts";

type Options = Readonly<Record<string, string>>;
type Driver = ParentSettings["driver"];

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);

const modes: Readonly<Record<Driver, readonly string[]>> = { macvlan: ["bridge", "private", "vepa", "passthru"], ipvlan: ["l2", "l3", "l3s"] };
const flags = ["bridge", "private", "vepa"];
const prefixes = { macvlan: "dm-", ipvlan: "di-" } as const;

/** Without a parent the network is between its containers only, on an interface of its own. */
export function parentSettings(driver: Driver, options: Options, id: string): ParentSettings {
  const parent = options["parent"] ?? "";
  if (parent === "lo") throw bad(`loopback interface is not a valid ${driver} parent link`);
  const mode = chosen(driver, "mode", options, modes[driver]);
  const flag = driver === "ipvlan" ? chosen(driver, "flag", options, flags) : "bridge";
  if (parent === "") return { driver, interface: `${prefixes[driver]}${id.slice(0, 12)}`, dummy: true, mode, flag };
  return { driver, interface: parent, dummy: false, mode, flag };
}

function chosen(driver: Driver, what: "mode" | "flag", options: Options, values: readonly string[]): string {
  const [first = ""] = values;
  const given = options[`${driver}_${what}`] ?? "";
  if (given === "") return first;
  if (values.includes(given)) return given;
  const word = what === "mode" ? " mode" : "";
  throw bad(`requested ${driver} ${what} '${given}' is not valid, '${first}'${word} is the ${driver} driver default`);
}

/** Whether containers' packets are routed: they know of no gateway. */
export const isRouted = ({ driver, mode }: ParentSettings): boolean => driver === "ipvlan" && mode !== "l2";

/** `eth0.10`: an interface that is made over another where it is missing, in VLAN 10 there. */
export function vlanOf(name: string): { readonly base: string; readonly id: number } {
  const [base = "", text, ...more] = name.split(".");
  if (text === undefined || more.length > 0) throw bad(`invalid subinterface vlan name ${name}, example formatting is eth0.10`);
  if (!/^\d+$/.test(text)) throw bad(`unable to parse a valid vlan id from: ${text} (ex. eth0.10 for vlan 10)`);
  const id = Number(text);
  if (id < 1 || id > 4_094) throw bad(`vlan id must be between 1-4094, received: ${id}`);
  return { base, id };
}
