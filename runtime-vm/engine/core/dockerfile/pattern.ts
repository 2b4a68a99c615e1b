/**
 * Shell patterns of substitutions (`${v#p}`, `${v%p}`, `${v/p/r}`): `*` and `?`, everything else stands for itself, after a backslash
 * those, too. All ways through a pattern are followed at once, so that no pattern takes longer than its length times the value's.
 */
type Token = string | typeof any | typeof many;
const any = 0;
const many = 1;

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i += 1) {
    const char = chars[i] ?? "";
    if (char === "\\") tokens.push(chars[(i += 1)] ?? "\\");
    else if (char !== "*") tokens.push(char === "?" ? any : char);
    else if (tokens.at(-1) !== many) tokens.push(many);
  }
  return tokens;
}

interface Found {
  readonly start: number;
  readonly end: number;
}

interface Search {
  readonly tokens: readonly Token[];
  readonly chars: readonly string[];
  readonly from: number;
  /** The match begins at `from` or nowhere. */
  readonly anchored: boolean;
  readonly shortest: boolean;
  /** `*` and `?` take ends of lines, too. */
  readonly lines: boolean;
}

/** The match that begins first, and of those the longest or the shortest. */
function find({ tokens, chars, from, anchored, shortest, lines }: Search): Found | undefined {
  let found: Found | undefined;
  // By token, where the earliest attempt that has come to it began.
  let states = new Map<number, number>();
  const enter = (into: Map<number, number>, state: number, start: number): void => {
    for (let at = state; ; at += 1) {
      const known = into.get(at);
      if (known === undefined || known > start) into.set(at, start);
      if (tokens[at] !== many) return;
    }
  };
  for (let at = from; at <= chars.length; at += 1) {
    if (found === undefined && (!anchored || at === from)) enter(states, 0, at);
    const start = states.get(tokens.length);
    if (start !== undefined && (found === undefined || start <= found.start)) found = { start, end: at };
    if (found !== undefined && shortest) return found;
    const char = chars[at];
    if (char === undefined || (states.size === 0 && anchored)) break;
    const next = new Map<number, number>();
    for (const [state, begun] of states) {
      const token = tokens[state];
      if (state === tokens.length || (found !== undefined && begun > found.start)) continue;
      if (token === char) enter(next, state + 1, begun);
      else if (typeof token === "number" && (lines || char !== "\n")) enter(next, token === many ? state : state + 1, begun);
    }
    states = next;
    if (found !== undefined && states.size === 0) break;
  }
  return found;
}

/** `${v#p}`, `${v##p}` when greedy. */
export function withoutPrefix(value: string, pattern: string, greedy: boolean): string {
  const chars = Array.from(value);
  const found = find({ tokens: tokensOf(pattern), chars, from: 0, anchored: true, shortest: !greedy, lines: true });
  return found === undefined ? value : chars.slice(found.end).join("");
}

/** `${v%p}`, `${v%%p}` when greedy. */
export function withoutSuffix(value: string, pattern: string, greedy: boolean): string {
  const chars = Array.from(value).toReversed();
  const found = find({ tokens: tokensOf(pattern).toReversed(), chars, from: 0, anchored: true, shortest: !greedy, lines: true });
  return found === undefined ? value : chars.slice(found.end).toReversed().join("");
}

/** `${v/p/r}`, `${v//p/r}` for all. An empty match right behind another is none. */
export function replaced(value: string, pattern: string, { replacement, all }: { replacement: string; all: boolean }): string {
  const chars = Array.from(value);
  const tokens = tokensOf(pattern);
  let [result, copied, from] = ["", 0, 0];
  while (from <= chars.length) {
    const found = find({ tokens, chars, from, anchored: false, shortest: false, lines: false });
    if (found === undefined) break;
    const empty = found.end === found.start;
    if (!empty || found.start !== copied || copied === 0) {
      result += chars.slice(copied, found.start).join("") + replacement;
      copied = found.end;
    }
    from = empty ? found.end + 1 : found.end;
    if (!all) break;
  }
  return result + chars.slice(copied).join("");
}
