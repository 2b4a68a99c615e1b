import { DockerfileError } from "./errors.ts";
import type { CommandLine, KeyValue } from "./instructions.ts";
import type { SourceNode } from "./source.ts";

/** The texts of instructions taken apart, by their own small grammars. What is no sound text is an error of syntax. */
export const syntax = (node: SourceNode, reason: string): DockerfileError => new DockerfileError("syntax", reason, node.lines);

export const blankParted = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** A JSON array of strings; undefined for what is none. */
export function jsonWords(node: SourceNode, text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  if (parsed.every((word) => typeof word === "string")) return parsed as string[];
  throw syntax(node, "when using JSON array syntax, arrays must be comprised of strings only");
}

export function commandLine(node: SourceNode, text = node.rest): CommandLine {
  const words = jsonWords(node, text);
  if (words !== undefined) return { words, shell: false, heredocs: [] };
  return { words: text === "" ? [] : [text], shell: true, heredocs: node.heredocs };
}

export const listOrWords = (node: SourceNode): string[] => jsonWords(node, node.rest) ?? blankParted(node.rest);

/** Words parted by blanks outside quotes; quotes and escapes stay in. */
export function rawWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (char === escape && quote !== "'") {
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
  return word === "" ? words : [...words, word];
}

/** `KEY value`, or any number of `key=value`. */
export function pairsOf(node: SourceNode, escape: string): KeyValue[] {
  const words = rawWords(node.rest, escape);
  const [first = ""] = words;
  if (words.length === 0) return [];
  if (!first.includes("=")) {
    const key = /^\S+/.exec(node.rest)?.[0] ?? "";
    const value = node.rest.slice(key.length).trim();
    if (value === "") throw syntax(node, `${node.name} must have two arguments`);
    return [{ key, value }];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 0) throw syntax(node, `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    return { key: word.slice(0, at), value: word.slice(at + 1) };
  });
}
