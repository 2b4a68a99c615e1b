import { EngineError } from "#base/errors.ts";

/** Words of a Dockerfile instruction: blanks part them, except inside quotes and after a backslash. Quotes stay in. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "\\" && quote !== "'") {
      word += char + (text[i + 1] ?? "");
      i += 1;
    } else if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
    } else {
      if (quote === char) quote = "";
      else if (quote === "" && (char === "'" || char === '"')) quote = char;
      word += char;
    }
  }
  if (word !== "") words.push(word);
  return words;
}

/** A word as the shell reads it: quotes off, `$NAME`, `${NAME}` and `${NAME:-word}`, `${NAME:+word}` put in. */
export function expand(word: string, environment: ReadonlyMap<string, string>): string {
  const reader = new WordReader(word, environment);
  try {
    return reader.until("");
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to process ${JSON.stringify(word)}: ${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}

class WordReader {
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;
  #at = 0;

  constructor(text: string, environment: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#environment = environment;
  }

  /** Up to `end`, which is taken too; "" reads to the end of the word. */
  until(end: string): string {
    let result = "";
    for (;;) {
      const char = this.#next();
      if (char === undefined) {
        if (end !== "") throw new Error(`syntax error: missing ${JSON.stringify(end)}`);
        return result;
      }
      if (char === end) return result;
      if (char === "'") result += this.#singleQuoted();
      else if (char === '"') result += this.#doubleQuoted();
      else if (char === "$") result += this.#variable();
      else if (char === "\\") result += this.#next() ?? "\\";
      else result += char;
    }
  }

  #next(): string | undefined {
    const char = this.#text[this.#at];
    this.#at += 1;
    return char;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw new Error("unexpected end of statement while looking for matching single-quote");
    const inside = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return inside;
  }

  #doubleQuoted(): string {
    let result = "";
    for (;;) {
      const char = this.#next();
      if (char === undefined) throw new Error("unexpected end of statement while looking for matching double-quote");
      if (char === '"') return result;
      if (char === "$") result += this.#variable();
      else if (char === "\\") {
        const escaped = this.#next() ?? "";
        result += ['"', "$", "\\"].includes(escaped) ? escaped : `\\${escaped}`;
      } else result += char;
    }
  }

  #variable(): string {
    if (this.#text[this.#at] !== "{") {
      const name = /^([A-Za-z_]\w*|[0-9@*#?!$-])/.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#environment.get(name) ?? "";
    }
    this.#at += 1;
    const name = /^([A-Za-z_]\w*|\d+)/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) throw new Error("syntax error: bad substitution");
    this.#at += name.length;
    return this.#braced(name);
  }

  #braced(name: string): string {
    const value = this.#environment.get(name);
    const operator = /^(:?[-+?]|\})/.exec(this.#text.slice(this.#at))?.[0];
    if (operator === undefined) throw new Error(`unsupported modifier (${this.#text[this.#at] ?? "\ufffd"}) in substitution`);
    this.#at += operator.length;
    if (operator === "}") return value ?? "";
    const word = this.until("}");
    const given = value !== undefined && (!operator.startsWith(":") || value !== "");
    if (operator.endsWith("+")) return given ? word : "";
    if (given) return value;
    if (operator.endsWith("-")) return word;
    throw new Error(`${name}: ${word === "" ? "not allowed to be unset" : word}`);
  }
}
