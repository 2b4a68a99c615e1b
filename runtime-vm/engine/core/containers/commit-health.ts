import type { HealthConfig } from "#api/oci.ts";
import { EngineError } from "#base/errors.ts";

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
const nanoOf: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const times = { interval: "Interval", timeout: "Timeout", "start-period": "StartPeriod", "start-interval": "StartInterval" } as const;

/** `HEALTHCHECK [--interval=.. --timeout=.. --start-period=.. --start-interval=.. --retries=..] NONE|CMD ...`. */
export function healthcheckOf(text: string, jsonWords: (text: string) => string[] | undefined): HealthConfig {
  if (text === "") throw invalid("HEALTHCHECK requires at least one argument");
  const config: { -readonly [K in keyof HealthConfig]: HealthConfig[K] } = {};
  let rest = text;
  for (let flag = /^--([a-z-]+)(?:=(\S*))?\s*/.exec(rest); flag !== null; flag = /^--([a-z-]+)(?:=(\S*))?\s*/.exec(rest)) {
    const [whole, name = "", value] = flag;
    rest = rest.slice(whole.length);
    if (value === undefined) throw invalid(`Missing a value on flag: ${name}`);
    if (name === "retries") config.Retries = retriesFrom(value);
    else if (isTime(name)) config[times[name]] = durationFrom(name, value);
    else throw invalid(`unknown flag: --${name}`);
  }
  const [type = ""] = rest.split(/\s/, 1);
  const command = rest.slice(type.length).trim();
  switch (type.toUpperCase()) {
    case "NONE":
      if (command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
      return { Test: ["NONE"] };
    case "CMD": {
      if (command === "") throw invalid("Missing command after HEALTHCHECK CMD");
      const words = jsonWords(command);
      return { Test: words === undefined ? ["CMD-SHELL", command] : ["CMD", ...words], ...config };
    }
    default:
      throw invalid(`Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`);
  }
}

const isTime = (name: string): name is keyof typeof times => name in times;

function retriesFrom(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const retries = Number(text);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return retries;
}

/** Go's durations: `1m30s`, `500ms`. */
function durationFrom(name: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && text !== "0") throw invalid(`time: missing unit in duration ${JSON.stringify(text)}`);
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text) && text !== "0") throw invalid(`time: invalid duration ${JSON.stringify(text)}`);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  const nano = Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (nanoOf[unit ?? ""] ?? 0), 0));
  if (nano !== 0 && nano < 1e6) throw invalid(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return nano;
}
