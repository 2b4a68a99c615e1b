/** Moments as clients say them in filters. */
import { EngineError } from "#base/errors.ts";
import { nanoOf, parseNano, type UnixNano } from "./clock.ts";

/** Seconds since 1970, a date with as much of a time as there is, or a span as Go writes it, back from now (`1h30m`, `-5m` is to come). */
export function parseMoment(text: string): UnixNano {
  if (/^\d+(\.\d+)?$/.test(text)) return BigInt(Math.floor(Number(text) * 1e9));
  const span = spanMs(text);
  if (span !== undefined) return nanoOf(new Date(Date.now() - span));
  const time = parseNano(text) ?? dateOf(text);
  if (time === undefined) throw new EngineError("invalidArgument", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return time;
}

/** The one moment of a prune's filter; undefined where there is none. */
export function untilOf(values: readonly string[] = []): UnixNano | undefined {
  if (values.length > 1) throw new EngineError("invalidArgument", "more than one until filter specified");
  const [text] = values;
  return text === undefined ? undefined : parseMoment(text);
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A span as Go writes it; undefined: it is none. */
export function spanMs(text: string): number | undefined {
  const found = /^([-+]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (found === null) return undefined;
  const parts = [...(found[2] ?? "").matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)];
  const span = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ""] ?? 0), 0);
  return found[1] === "-" ? -span : span;
}

/** In this machine's zone, as dockerd takes it. */
function dateOf(text: string): UnixNano | undefined {
  const found = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?$/.exec(text);
  if (found === null) return undefined;
  const [, day, hours = "00", minutes = "00", seconds = "00"] = found;
  const date = new Date(`${day}T${hours}:${minutes}:${seconds}`);
  return Number.isNaN(date.getTime()) ? undefined : nanoOf(date);
}
