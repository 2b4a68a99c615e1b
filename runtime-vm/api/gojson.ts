import { EngineError } from "#base/errors.ts";

/**
 * Reads JSON as Go's encoding/json does, with its words for what is wrong: clients and people know those sentences.
 * The happy path is `JSON.parse`; the text is walked again only to say why it failed.
 */
export class JsonSyntaxError extends Error {
  /** Where in the text, in UTF-16 units. */
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** The first JSON value of `text` and whether anything but white space follows it. Throws JsonSyntaxError in Go's words. */
export function parseGoJson(text: string): { value: unknown; more: boolean } {
  try {
    return { value: JSON.parse(text), more: false };
  } catch {
    const end = new Scanner(text).value(0);
    // The first value is sound, so what JSON.parse stumbled over follows it.
    return { value: JSON.parse(text.slice(0, end)), more: text.slice(end).trim() !== "" };
  }
}

/** `line 3, column 7`, as people count. */
function placeIn(text: string, at: number): string {
  const lines = text.slice(0, at).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** The object of a configuration file; an empty file is an empty one. Class `invalidArgument` with line and column for all else. */
export function parseConfigObject(source: string): Record<string, unknown> {
  const text = source.replace(/^\uFEFF/, "");
  if (text.trim() === "") return {};
  const refused = (reason: string): EngineError => new EngineError("invalidArgument", reason);
  let parsed: { value: unknown; more: boolean };
  try {
    parsed = parseGoJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw refused(`invalid JSON at ${placeIn(text, error.at)}: ${error.message}`);
    throw error;
  }
  const { value, more } = parsed;
  if (more) throw refused("invalid JSON: there is more after the closing brace");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused("it must be one JSON object");
  return value as Record<string, unknown>;
}

const space = (c: string | undefined): boolean => c === " " || c === "\t" || c === "\n" || c === "\r";

class Scanner {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  /** Index after the value that starts at or after `at`. */
  value(at: number): number {
    const start = this.#skip(at);
    const c = this.#text[start];
    if (c === "{") return this.#object(start + 1);
    if (c === "[") return this.#array(start + 1);
    if (c === '"') return this.#string(start + 1);
    if (c === "t") return this.#literal(start, "true");
    if (c === "f") return this.#literal(start, "false");
    if (c === "n") return this.#literal(start, "null");
    if (c !== undefined && (c === "-" || (c >= "0" && c <= "9"))) return this.#number(start);
    throw this.#bad(start, "looking for beginning of value");
  }

  #object(at: number): number {
    let next = this.#skip(at);
    if (this.#text[next] === "}") return next + 1;
    for (;;) {
      if (this.#text[next] !== '"') throw this.#bad(next, "looking for beginning of object key string");
      next = this.#skip(this.#string(next + 1));
      if (this.#text[next] !== ":") throw this.#bad(next, "after object key");
      next = this.#skip(this.value(next + 1));
      if (this.#text[next] === "}") return next + 1;
      if (this.#text[next] !== ",") throw this.#bad(next, "after object key:value pair");
      next = this.#skip(next + 1);
    }
  }

  #array(at: number): number {
    let next = this.#skip(at);
    if (this.#text[next] === "]") return next + 1;
    for (;;) {
      next = this.#skip(this.value(next));
      if (this.#text[next] === "]") return next + 1;
      if (this.#text[next] !== ",") throw this.#bad(next, "after array element");
      next += 1;
    }
  }

  #string(at: number): number {
    for (let i = at; ; i++) {
      const c = this.#text[i];
      if (c === '"') return i + 1;
      if (c === undefined || c < " ") throw this.#bad(i, "in string literal");
      if (c === "\\") {
        i += 1;
        const escape = this.#text[i];
        if (escape === "u") i = this.#unicode(i + 1);
        else if (escape === undefined || !'"\\/bfnrt'.includes(escape)) throw this.#bad(i, "in string escape code");
      }
    }
  }

  #unicode(at: number): number {
    for (let i = at; i < at + 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#text[i] ?? "")) throw this.#bad(i, "in \\u hexadecimal character escape");
    }
    return at + 3;
  }

  #literal(at: number, word: string): number {
    for (let i = 1; i < word.length; i++) {
      if (this.#text[at + i] !== word[i]) throw this.#bad(at + i, `in literal ${word} (expecting '${word[i]}')`);
    }
    return at + word.length;
  }

  #number(at: number): number {
    const digits = (from: number, where: string): number => {
      let i = from;
      while (/\d/.test(this.#text[i] ?? "")) i += 1;
      if (i === from) throw this.#bad(i, where);
      return i;
    };
    let i = this.#text[at] === "-" ? at + 1 : at;
    i = this.#text[i] === "0" ? i + 1 : digits(i, "in numeric literal");
    if (this.#text[i] === ".") i = digits(i + 1, "after decimal point in numeric literal");
    if (this.#text[i] === "e" || this.#text[i] === "E") {
      i += 1;
      if (this.#text[i] === "+" || this.#text[i] === "-") i += 1;
      i = digits(i, "in exponent of numeric literal");
    }
    return i;
  }

  #skip(at: number): number {
    let i = at;
    while (space(this.#text[i])) i += 1;
    return i;
  }

  #bad(at: number, where: string): JsonSyntaxError {
    const c = this.#text[at];
    if (c === undefined) return new JsonSyntaxError("unexpected EOF", at);
    const shown = c === "'" ? "'\\''" : c === '"' ? "'\"'" : `'${c < " " ? JSON.stringify(c).slice(1, -1) : c}'`;
    return new JsonSyntaxError(`invalid character ${shown} ${where}`, at);
  }
}
