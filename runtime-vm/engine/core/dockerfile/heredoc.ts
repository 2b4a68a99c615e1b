import { expandWord, expandWords } from "./words.ts";

/** `<<NAME`: lines that belong to an instruction, up to one that is `NAME` alone. */
export interface Heredoc {
  readonly name: string;
  readonly fileDescriptor: number;
  /** False when the name was quoted: variables in the lines stay as they are. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of a line do not count. */
  readonly chomp: boolean;
  readonly content: string;
}

const pattern = /^(\d*)<<(-?)([^<]*)$/;
const nothing: ReadonlyMap<string, string> = new Map();

/** The heredocs that an instruction's text announces, in order. */
export function heredocsOf(text: string, escape: string): Omit<Heredoc, "content">[] {
  return rawWords(text, escape).flatMap((word) => heredocFrom(word, escape) ?? []);
}

/** The one that a single word announces. */
export function heredocFrom(word: string, escape: string): Omit<Heredoc, "content"> | undefined {
  const match = pattern.exec(word);
  if (match === null) return undefined;
  const [, fd = "", chomp, rest = ""] = match;
  if (rest === "") return undefined;
  const words = attempt(() => expandWords(rest, { environment: nothing, escape, keepUnset: true }));
  if (words?.length !== 1) return undefined;
  const name = expandWord(rest, { environment: nothing, escape, keepUnset: true });
  if (name === "") return undefined;
  return { name, fileDescriptor: fd === "" ? 0 : Number(fd), expand: name === rest, chomp: chomp === "-" };
}

function rawWords(text: string, escape: string): string[] {
  return attempt(() => expandWords(text, { environment: nothing, escape, raw: true, keepUnset: true })) ?? [];
}

/** A line that is no sound shell has no heredocs; what is wrong with it is said elsewhere. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Its lines without the tabs before them. */
export const heredocText = ({ chomp, content }: Pick<Heredoc, "chomp" | "content">): string => (chomp ? content.replace(/^\t+/gm, "") : content);
