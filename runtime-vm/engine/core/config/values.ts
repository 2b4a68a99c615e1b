/** Readers of daemon.json's values: each gives the typed value or refuses, naming the key and what it must be. */
import { isIP } from "node:net";
import { EngineError } from "#base/errors.ts";
import type { EngineConfig, RuntimeChoice, Ulimit } from "./config.ts";

export type Reader<T> = (value: unknown, key: string) => T;

export const wrong = (key: string, wanted: string): EngineError => new EngineError("invalidArgument", `${key} must be ${wanted}`);

export const text: Reader<string> = (value, key) => {
  if (typeof value !== "string") throw wrong(key, "a string");
  return value;
};

export const flag: Reader<boolean> = (value, key) => {
  if (typeof value !== "boolean") throw wrong(key, "true or false");
  return value;
};

export const number: Reader<number> = (value, key) => {
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrong(key, "a whole number");
  return value;
};

export const texts: Reader<readonly string[]> = (value, key) => {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw wrong(key, "a list of strings");
  return value;
};

export const object: Reader<Readonly<Record<string, unknown>>> = (value, key) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(key, "an object");
  return value as Record<string, unknown>;
};

/** An object whose values are all read by `of`. */
export const mapOf =
  <T>(of: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, key) =>
    Object.fromEntries(Object.entries(object(value, key)).map(([name, item]) => [name, of(item, `${key}.${name}`)]));

export const address: Reader<string> = (value, key) => {
  const given = text(value, key);
  if (given !== "" && isIP(given) === 0) throw new EngineError("invalidArgument", `${key}: invalid IP address: ${given}`);
  return given;
};

export const addresses: Reader<readonly string[]> = (value, key) => texts(value, key).map((item) => address(item, key));

const cidrOf =
  (family: 4 | 6, example: string): Reader<string> =>
  (value, key) => {
    const given = text(value, key);
    if (given !== "" && !isCidr(given, family)) throw wrong(key, `an address with a prefix length (${example}), got ${given}`);
    return given;
  };

/** IPv4 with a prefix length. */
export const cidr = cidrOf(4, "172.17.0.1/16");
export const cidr6 = cidrOf(6, "fd00::1/64");

export const addressOf =
  (family: 4 | 6): Reader<string> =>
  (value, key) => {
    const given = address(value, key);
    if (given !== "" && isIP(given) !== family) throw wrong(key, `an IPv${family} address, got ${given}`);
    return given;
  };

function isCidr(given: string, family: 4 | 6): boolean {
  const [ip = "", bits = "", more] = given.split("/");
  return more === undefined && isIP(ip) === family && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** `64M`, `1g`, `67108864`: binary units, as a string or a number. */
export const bytes: Reader<number> = (value, key) => {
  const given = typeof value === "number" ? String(value) : text(value, key);
  const found = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(given);
  if (found === null) throw new EngineError("invalidArgument", `${key}: invalid size: '${given}'`);
  return Math.trunc(Number(found[1]) * (sizeUnits[(found[2] ?? "").toLowerCase()] ?? 1));
};

export const pools: Reader<EngineConfig["defaultAddressPools"]> = (value, key) => {
  const bad = wrong(key, 'a list of {"base": "172.30.0.0/16", "size": 24}');
  if (!Array.isArray(value)) throw bad;
  return value.map((item: unknown) => {
    if (typeof item !== "object" || item === null) throw bad;
    const { base, size } = Object.fromEntries(Object.entries(item).map(([name, part]) => [name.toLowerCase(), part as unknown]));
    if (typeof base !== "string" || typeof size !== "number") throw bad;
    const [ip = "", bits = ""] = base.split("/");
    const family = isIP(ip);
    if (family === 0 || !/^\d+$/.test(bits)) throw new EngineError("invalidArgument", `${key}: ${JSON.stringify(base)} is no network (172.30.0.0/16)`);
    if (size < Number(bits) || size > (family === 4 ? 32 : 128)) {
      throw new EngineError("invalidArgument", `${key}: networks of size /${size} do not fit into ${base}`);
    }
    return { base, size };
  });
};

export const ulimits: Reader<readonly Ulimit[]> = (value, key) =>
  Object.entries(mapOf(object)(value, key)).map(([name, item]) => {
    const fields = Object.fromEntries(Object.entries(item).map(([field, part]) => [field.toLowerCase(), part]));
    const hard = number(fields["hard"] ?? 0, `${key}.${name}.Hard`);
    const soft = number(fields["soft"] ?? 0, `${key}.${name}.Soft`);
    if (hard !== -1 && soft > hard) {
      throw new EngineError("invalidArgument", `${key}.${name}: ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    }
    return { Name: text(fields["name"] ?? name, `${key}.${name}.Name`) || name, Soft: soft, Hard: hard };
  });

/** Names under which this engine's own runtime is known; they cannot be given another meaning. */
export const stockRuntimes: readonly string[] = ["crun", "runc", "io.containerd.runc.v2"];

export const runtimes: Reader<Readonly<Record<string, RuntimeChoice>>> = (value, key) =>
  Object.fromEntries(Object.entries(mapOf(object)(value, key)).map(([name, item]) => [name, runtime(item, `${key}.${name}`, name)]));

function runtime(item: Readonly<Record<string, unknown>>, key: string, name: string): RuntimeChoice {
  const refuse = (reason: string): EngineError => new EngineError("invalidArgument", `${key}: ${reason}`);
  const path = text(item["path"] ?? "", `${key}.path`);
  const type = text(item["runtimeType"] ?? "", `${key}.runtimeType`);
  const args = texts(item["runtimeArgs"] ?? [], `${key}.runtimeArgs`);
  if (stockRuntimes.includes(name)) throw refuse(`runtime name '${name}' is reserved`);
  if (path === "" && type === "") throw refuse("either a runtime type or a path must be configured");
  if (path !== "" && type !== "") throw refuse("cannot configure both path and runtimeType for the same runtime");
  if (type === "") {
    if (item["options"] !== undefined) throw refuse("options cannot be used with a path, use runtimeArgs instead");
    return { kind: "oci", path, args };
  }
  if (args.length > 0) throw refuse("runtimeArgs cannot be used with a runtimeType");
  return { kind: "shim", type, options: object(item["options"] ?? {}, `${key}.options`) };
}
