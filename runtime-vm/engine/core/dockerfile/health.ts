import type { HealthConfig } from "#api/oci.ts";
import { DockerfileError } from "./errors.ts";
import { readFlags } from "./flags.ts";
import { jsonWords } from "./pieces.ts";
import type { SourceNode } from "./source.ts";

const times = { interval: "Interval", timeout: "Timeout", "start-period": "StartPeriod", "start-interval": "StartInterval" } as const;
const nanosOf: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** HEALTHCHECK's flags and command. */
export function healthcheck(node: SourceNode): HealthConfig {
  const fail = (message: string): DockerfileError => new DockerfileError("instruction", message, node.lines);
  if (node.rest === "") throw fail("HEALTHCHECK requires at least one argument");
  const [written = ""] = node.rest.split(/\s/, 1);
  const type = written.toUpperCase();
  const rest = node.rest.slice(written.length).trim();
  if (type === "NONE") {
    if (rest !== "") throw fail("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  const flags = readFlags(node, { one: [...Object.keys(times), "retries"] });
  if (type !== "CMD") throw fail(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  if (rest === "") throw fail("Missing command after HEALTHCHECK CMD");
  const words = jsonWords(node, rest);
  const given = Object.entries(times).map(([flag, name]) => [name, duration(flag, flags.one(flag), fail)] as const);
  return {
    Test: words === undefined ? ["CMD-SHELL", rest] : ["CMD", ...words],
    ...Object.fromEntries(given.filter(([, value]) => value !== 0)),
    ...retriesOf(flags.one("retries"), fail),
  };
}

function retriesOf(text: string, fail: (message: string) => Error): { Retries?: number } {
  if (text === "") return {};
  if (!/^[+-]?\d+$/.test(text)) throw fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const retries = Number(text);
  if (retries < 0) throw fail(`--retries cannot be negative (${retries})`);
  return retries === 0 ? {} : { Retries: retries };
}

/** Go's `1m30s`, in nanoseconds; 0 for none. */
function duration(flag: string, text: string, fail: (message: string) => Error): number {
  if (text === "" || text === "0") return 0;
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) throw fail(`time: missing unit in duration ${JSON.stringify(text)}`);
  if (!/^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) throw fail(`time: invalid duration ${JSON.stringify(text)}`);
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  const nanos = Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (nanosOf[unit ?? ""] ?? 0), 0)) * (text.startsWith("-") ? -1 : 1);
  if (nanos !== 0 && nanos < 1e6) throw fail(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
  return nanos;
}
