/** Times as Docker writes them: nanoseconds since 1970, and RFC 3339 with as many digits as there are. */
export type UnixNano = bigint;

/** What Go prints for "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

const bootMs = performance.timeOrigin;
let last = 0n;

/** Now, strictly later than any answer before. Follows the system clock, with what the monotonic clock adds below a millisecond. */
export function nowNano(): UnixNano {
  const wallMs = Date.now();
  const monotonicMs = bootMs + performance.now();
  const fraction = BigInt(Math.floor((monotonicMs - Math.floor(monotonicMs)) * 1e6));
  const now = BigInt(wallMs) * 1_000_000n + fraction;
  last = now > last ? now : last + 1n;
  return last;
}

export const nanoOf = (date: Date): UnixNano => BigInt(date.getTime()) * 1_000_000n;

/** `2026-11-25T12:47:42.045661574Z`, trailing zeroes of the fraction dropped as Go does. */
export function formatNano(nano: UnixNano): string {
  const seconds = new Date(Number(nano / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (nano % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** The inverse of `formatNano`; also any RFC 3339 time with an offset. Undefined when it is none. */
export function parseNano(text: string): UnixNano | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (found === null) return undefined;
  const ms = Date.parse(`${found[1]}${found[3]}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
