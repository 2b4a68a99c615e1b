/** Go's way of printing, for the texts that a history keeps. */
export const goQuote = (text: string): string => {
  const inside = Array.from(text, (char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    const named = escapes[char];
    if (named !== undefined) return named;
    const code = char.codePointAt(0) ?? 0;
    return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : char;
  });
  return `"${inside.join("")}"`;
};

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\u0007": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v" };

/** `%q` of a list of strings. */
export const goQuoteList = (words: readonly string[]): string => `[${words.map(goQuote).join(" ")}]`;

const nanosOf = [
  ["h", 3_600_000_000_000],
  ["m", 60_000_000_000],
] as const;

/** time.Duration's String. */
export function goDuration(nanos: number): string {
  if (nanos === 0) return "0s";
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  let rest = nanos;
  let text = "";
  for (const [unit, size] of nanosOf) {
    const count = Math.floor(rest / size);
    if (count > 0 || text !== "") text += `${count}${unit}`;
    rest -= count * size;
  }
  return `${text}${rest / 1e9}s`;
}
