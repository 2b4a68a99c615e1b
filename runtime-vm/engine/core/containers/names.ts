import { randomBytes, randomInt } from "node:crypto";
import { EngineError } from "#base/errors.ts";
import { adjectives, surnames } from "./words.ts";

/** A name that passed the check; without the slash Docker shows before it. */
export type ContainerName = string & { readonly brand: "ContainerName" };

const allowed = "[a-zA-Z0-9][a-zA-Z0-9_.-]";

export function parseContainerName(text: string): ContainerName {
  const name = text.startsWith("/") ? text.slice(1) : text;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) throw new EngineError("invalidArgument", `Invalid container name (${text}), only ${allowed} are allowed`);
  return name as ContainerName;
}

export const nameConflict = (name: string, holder: string): EngineError =>
  new EngineError(
    "conflict",
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );

/** A name nobody has: two words, after a few tries with a number behind. */
export function generateName(isFree: (name: string) => boolean): ContainerName {
  for (let tries = 0; ; tries++) {
    const name = `${pick(adjectives)}_${pick(surnames)}${tries < 6 ? "" : randomInt(10 ** Math.min(9, tries - 5))}`;
    if (isFree(name)) return name as ContainerName;
  }
}

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? "";

/** 64 hex digits. The first 12 are never all decimal: a short id must not look like a number (it becomes the host name). */
export function generateId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (!/^\d+$/.test(id.slice(0, 12))) return id;
  }
}
