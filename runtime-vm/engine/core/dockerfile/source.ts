import { DockerfileError, type LineRange } from "./errors.ts";
import { type Heredoc, heredocsOf } from "./heredoc.ts";

/** One instruction as it stands in the file: its name, its flags, the rest of its text, and where. */
export interface SourceNode {
  /** Upper case. */
  readonly name: string;
  /** As it was written. */
  readonly written: string;
  readonly flags: readonly string[];
  /** What follows name and flags, continuation lines joined, blanks around it off. */
  readonly rest: string;
  /** The whole instruction on one line. */
  readonly original: string;
  readonly lines: LineRange;
  readonly heredocs: readonly Heredoc[];
  /** Comments right above it. */
  readonly comments: readonly string[];
}

/** A Dockerfile taken apart into instructions; what they mean is not looked at. */
export interface Source {
  readonly nodes: readonly SourceNode[];
  readonly escape: "\\" | "`";
  /** Parser directives by name: `syntax`, `escape`, `check`. */
  readonly directives: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  readonly warnings: readonly SourceWarning[];
  /** The file's lines, to show. */
  readonly text: readonly string[];
}

export interface SourceWarning {
  readonly rule: "NoEmptyContinuation";
  readonly lines: LineRange;
}

const directivePattern = /^#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*$/;
const knownDirectives = new Set(["syntax", "escape", "check"]);
const withHeredocs = new Set(["ADD", "COPY", "RUN"]);
const lineBytesMax = 65_535;

export function readSource(text: string): Source {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const directives = directivesOf(lines);
  const escape = directives.get("escape")?.value === "`" ? "`" : "\\";
  const reader = new SourceReader(lines, escape);
  const nodes = reader.all();
  if (nodes.length === 0) throw new DockerfileError("syntax", "file with no instructions", { start: 1, end: Math.max(1, lines.length) });
  return { nodes, escape, directives, warnings: reader.warnings, text: lines };
}

function directivesOf(lines: readonly string[]): Source["directives"] {
  const found = new Map<string, { value: string; line: number }>();
  for (const [index, line] of lines.entries()) {
    const match = directivePattern.exec(line);
    if (match === null) break;
    const name = (match[1] ?? "").toLowerCase();
    const at = { start: index + 1, end: index + 1 };
    if (!knownDirectives.has(name)) continue;
    if (found.has(name)) throw new DockerfileError("syntax", `only one ${name} parser directive can be used`, at);
    const value = match[2] ?? "";
    if (name === "escape" && value !== "\\" && value !== "`") {
      throw new DockerfileError("syntax", `invalid escape token '${value}' does not match \` or \\`, at);
    }
    found.set(name, { value, line: index + 1 });
  }
  return found;
}

const isComment = (line: string): boolean => /^[ \t]*#/.test(line);

class SourceReader {
  readonly warnings: SourceWarning[] = [];
  readonly #lines: readonly string[];
  readonly #escape: string;
  readonly #continues: RegExp;
  #at = 0;

  constructor(lines: readonly string[], escape: string) {
    this.#lines = lines;
    this.#escape = escape;
    const char = escape === "\\" ? "\\\\" : "`";
    this.#continues = new RegExp(`([^${char}])${char}[ \\t]*$|^${char}[ \\t]*$`);
  }

  all(): SourceNode[] {
    const nodes: SourceNode[] = [];
    let comments: string[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? "";
      this.#at += 1;
      if (isComment(line)) {
        comments.push(line.replace(/^[ \t]*#/, "").trim());
        continue;
      }
      const node = this.#instruction(line.replace(/^\s+/, ""), comments);
      comments = [];
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  #instruction(first: string, comments: readonly string[]): SourceNode | undefined {
    const start = this.#at;
    if (first.length > lineBytesMax)
      throw new DockerfileError("syntax", `dockerfile line greater than max allowed size of ${lineBytesMax}`, { start, end: start });
    let { text: line, continues } = this.#withoutContinuation(first);
    if (!continues && line === "") return undefined;
    let empty = false;
    while (continues && this.#at < this.#lines.length) {
      const next = this.#lines[this.#at] ?? "";
      this.#at += 1;
      if (isComment(next)) continue;
      if (next.trim() === "") {
        empty = true;
        continue;
      }
      const more = this.#withoutContinuation(next);
      line += more.text;
      continues = more.continues;
    }
    if (line.trim() === "") return undefined;
    if (empty) this.warnings.push({ rule: "NoEmptyContinuation", lines: { start, end: this.#at } });
    return this.#node(line, start, comments);
  }

  #withoutContinuation(line: string): { text: string; continues: boolean } {
    if (!this.#continues.test(line)) return { text: line, continues: false };
    return { text: line.replace(this.#continues, "$1"), continues: true };
  }

  #node(line: string, start: number, comments: readonly string[]): SourceNode {
    const text = line.trim();
    const written = /^\S+/.exec(text)?.[0] ?? "";
    const { flags, rest } = takeFlags(text.slice(written.length).trim(), this.#escape);
    const name = written.toUpperCase();
    const heredocs = this.#heredocs(name, rest, start);
    return { name, written, flags, rest, original: text, lines: { start, end: this.#at }, heredocs, comments };
  }

  #heredocs(name: string, rest: string, start: number): Heredoc[] {
    const inner = name === "ONBUILD" ? (/^\S+/.exec(rest)?.[0] ?? "").toUpperCase() : name;
    if (!withHeredocs.has(inner) || !rest.includes("<<") || rest.startsWith("[")) return [];
    return heredocsOf(rest, this.#escape).map((heredoc) => ({ ...heredoc, content: this.#body(heredoc, start) }));
  }

  #body({ name, chomp }: Omit<Heredoc, "content">, start: number): string {
    let content = "";
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? "";
      this.#at += 1;
      if ((chomp ? line.replace(/^\t+/, "") : line) === name) return content;
      content += `${line}\n`;
    }
    throw new DockerfileError("syntax", "unterminated heredoc", { start, end: this.#at });
  }
}

/** `--name=value` words before anything else. Quotes and the escape character are taken as the shell takes them. */
export function takeFlags(text: string, escape: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at += 1;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at) };
    const { word, next } = flagWord(text, at, escape);
    if (word === "--") return { flags, rest: text.slice(next).trimStart() };
    flags.push(word);
    at = next;
  }
}

function flagWord(text: string, start: number, escape: string): { word: string; next: number } {
  let word = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quote === "" && /\s/.test(char)) break;
    if (char === escape && quote !== "'") {
      at += 1;
      word += text[at] ?? "";
    } else if (quote === char) quote = "";
    else if (quote === "" && (char === "'" || char === '"')) quote = char;
    else word += char;
  }
  return { word, next: at };
}
