import { replaced, withoutPrefix, withoutSuffix } from "./pattern.ts";

/** Substitutions within substitutions: each takes a piece of the stack. */
const depthMax = 200;

/**
 * Words of a Dockerfile as a shell would read them (the frontend's own small shell: quotes, the escape character, and the
 * substitutions of Dockerfile syntax 1.x). Variables that were used and are not set are kept for whoever warns of them.
 */
export interface Expansion {
  readonly environment: ReadonlyMap<string, string>;
  readonly escape: string;
  /** Leaves the quotes and escapes where they are (the body of a heredoc, the command of a RUN). */
  readonly raw?: boolean;
  /** Leaves variables that are not set as they were written. */
  readonly keepUnset?: boolean;
  /** Told every name that was asked for and has no value. */
  readonly onUnset?: (name: string) => void;
}

/** One word with everything put in; blanks do not part it. Throws an Error with the reason alone. */
export function expandWord(text: string, expansion: Expansion): string {
  return new Reader(text, expansion).rest().text;
}

/** The words that come of a text: blanks part them unless they are quoted, those that a variable brought do, too. */
export function expandWords(text: string, expansion: Expansion): string[] {
  return new Reader(text, expansion).rest().words;
}

class Collected {
  text = "";
  readonly words: string[] = [];
  #word = "";
  #open = false;

  add(piece: string): void {
    this.text += piece;
    this.#word += piece;
    if (piece !== "") this.#open = true;
  }

  /** A quoted part counts as a word though it is empty. */
  quoted(piece: string): void {
    this.add(piece);
    this.#open = true;
  }

  blank(piece: string): void {
    this.text += piece;
    this.close();
  }

  /** What a variable brought: its blanks part words, too. */
  split(value: string): void {
    for (const part of value.split(/(\s+)/)) {
      if (/^\s/.test(part)) this.blank(part);
      else if (part !== "") this.add(part);
    }
  }

  close(): this {
    if (this.#open) this.words.push(this.#word);
    this.#word = "";
    this.#open = false;
    return this;
  }
}

class Reader {
  readonly #text: string;
  readonly #expansion: Expansion;
  #at = 0;
  #depth = 0;

  constructor(text: string, expansion: Expansion) {
    this.#text = text;
    this.#expansion = expansion;
  }

  rest(): Collected {
    return this.#until("");
  }

  /** Up to one of `ends`, which is left to be read. */
  #until(ends: string): Collected {
    const out = new Collected();
    for (;;) {
      const char = this.#peek();
      if (char === "") {
        if (ends !== "") throw new Error(`syntax error: missing '${ends}'${ends === "/" ? " in ${}" : ""}`);
        return out.close();
      }
      if (ends !== "" && ends.includes(char)) return out.close();
      if (char === "'") out.quoted(this.#single());
      else if (char === '"') out.quoted(this.#double());
      else if (char === "$") this.#put(out, this.#variable());
      else if (char === this.#expansion.escape) this.#escaped(out);
      else {
        this.#at += char.length;
        if (/^\s$/.test(char)) out.blank(char);
        else out.add(char);
      }
    }
  }

  #put(out: Collected, value: string): void {
    if (this.#expansion.raw === true) out.add(value);
    else out.split(value);
  }

  #escaped(out: Collected): void {
    this.#at += 1;
    const next = this.#next();
    const { raw, escape } = this.#expansion;
    out.add(raw === true ? escape + next : next);
  }

  #single(): string {
    const start = this.#at;
    const end = this.#text.indexOf("'", start + 1);
    if (end < 0) throw new Error("unexpected end of statement while looking for matching single-quote");
    this.#at = end + 1;
    return this.#expansion.raw === true ? this.#text.slice(start, end + 1) : this.#text.slice(start + 1, end);
  }

  #double(): string {
    const { raw, escape } = this.#expansion;
    let result = raw === true ? '"' : "";
    this.#at += 1;
    for (;;) {
      const char = this.#peek();
      if (char === "") throw new Error("unexpected end of statement while looking for matching double-quote");
      if (char === '"') {
        this.#at += 1;
        return raw === true ? `${result}"` : result;
      }
      if (char === "$") result += this.#variable();
      else if (char === escape) {
        this.#at += 1;
        const next = this.#next();
        if (next === "") throw new Error("unexpected end of statement while looking for matching double-quote");
        result += raw !== true && (next === '"' || next === "$" || next === escape) ? next : escape + next;
      } else result += this.#next();
    }
  }

  #variable(): string {
    const start = this.#at;
    this.#at += 1;
    if (this.#peek() === "{") return this.#braced(start);
    const name = /^(?:[A-Za-z_]\w*|[@*#?!$0-9-])/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) return "$";
    this.#at += name.length;
    return this.#value(name) ?? this.#unset(name, start);
  }

  #braced(start: number): string {
    this.#depth += 1;
    if (this.#depth > depthMax) throw new Error(`substitutions stand in one another more than ${depthMax} deep`);
    const value = this.#substituted(start);
    this.#depth -= 1;
    return value;
  }

  #substituted(start: number): string {
    this.#at += 1;
    const next = this.#peek();
    if (next === "") throw new Error("syntax error: missing '}'");
    if ("{}:".includes(next)) throw new Error("syntax error: bad substitution");
    const name = /^(?:[A-Za-z_]\w*|[0-9]+|[@*#?!$-])/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += name.length;
    const operator = this.#next();
    switch (operator) {
      case "}":
        return this.#value(name) ?? this.#unset(name, start);
      case ":":
        if (this.#peek() === "") throw new Error("syntax error: missing '}'");
        return this.#conditional(name, `:${this.#next()}`, start);
      case "+":
      case "-":
      case "?":
        return this.#conditional(name, operator, start);
      case "#":
      case "%":
        return this.#trimmed(name, operator, start);
      case "/":
        return this.#replaced(name, start);
      default:
        throw new Error(`unsupported modifier (${operator === "" ? "\ufffd" : operator}) in substitution`);
    }
  }

  #conditional(name: string, operator: string, start: number): string {
    if (!["+", "-", "?", ":+", ":-", ":?"].includes(operator)) throw new Error(`unsupported modifier (${operator.slice(1)}) in substitution`);
    const word = this.#until("}").text;
    this.#at += 1;
    const value = this.#value(name);
    const given = value !== undefined && (!operator.startsWith(":") || value !== "");
    if (operator.endsWith("+")) return given ? word : "";
    if (operator.endsWith("-")) return given ? value : word;
    if (given) return value;
    if (this.#expansion.keepUnset === true) return this.#text.slice(start, this.#at);
    throw new Error(`${name}: ${word === "" ? "is not allowed to be unset" : word}`);
  }

  #trimmed(name: string, operator: string, start: number): string {
    const greedy = this.#peek() === operator;
    if (greedy) this.#at += 1;
    const pattern = this.#until("}").text;
    this.#at += 1;
    const value = this.#value(name);
    if (value === undefined) return this.#unset(name, start);
    return operator === "#" ? withoutPrefix(value, pattern, greedy) : withoutSuffix(value, pattern, greedy);
  }

  #replaced(name: string, start: number): string {
    const all = this.#peek() === "/";
    if (all) this.#at += 1;
    const pattern = this.#until("/").text;
    this.#at += 1;
    const replacement = this.#until("}").text;
    this.#at += 1;
    const value = this.#value(name);
    if (value === undefined) return this.#unset(name, start);
    return replaced(value, pattern, { replacement, all });
  }

  #value(name: string): string | undefined {
    return this.#expansion.environment.get(name);
  }

  #unset(name: string, start: number): string {
    this.#expansion.onUnset?.(name);
    return this.#expansion.keepUnset === true ? this.#text.slice(start, this.#at) : "";
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #next(): string {
    const char = this.#peek();
    this.#at += char.length;
    return char;
  }
}
