import type { BuildOptions } from "#api/builds.ts";
import { t } from "./texts.ts";

/** What is typed for a build. */
export interface BuildForm {
  readonly folder: string;
  readonly dockerfile: string;
  /** Names divided by blanks. */
  readonly tags: string;
  readonly target: string;
  readonly platform: string;
  /** One `NAME=value` a line. */
  readonly args: string;
  readonly noCache: boolean;
  readonly pull: boolean;
}

export const buildFormOf = (options: BuildOptions | undefined): BuildForm => ({
  folder: options?.folder ?? "",
  dockerfile: options?.dockerfile ?? "Dockerfile",
  tags: options?.tags.join(" ") ?? "",
  target: options?.target ?? "",
  platform: options?.platform ?? "",
  args: Object.entries(options?.args ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join("\n"),
  noCache: options?.noCache ?? false,
  pull: options?.pull ?? false,
});

/** The mistake of each field that has one. */
export function buildMistakes({ folder, tags, args }: BuildForm): { readonly [F in keyof BuildForm]?: string } {
  const badArg = argLines(args).find((line) => !argLine.test(line));
  return {
    ...(folder.trim() === "" ? { folder: t.builds.form.folderMissing } : {}),
    ...(words(tags).every((tag) => reference.test(tag)) ? {} : { tags: t.builds.form.tagInvalid }),
    ...(badArg === undefined ? {} : { args: t.builds.form.argInvalid(badArg) }),
  };
}

export const buildOptionsOf = (form: BuildForm): BuildOptions => ({
  folder: form.folder.trim(),
  dockerfile: form.dockerfile.trim() || "Dockerfile",
  tags: words(form.tags),
  target: form.target.trim(),
  platform: form.platform.trim(),
  args: Object.fromEntries(argLines(form.args).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])),
  noCache: form.noCache,
  pull: form.pull,
});

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");
const argLines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
const argLine = /^[A-Za-z_][A-Za-z0-9_]*=/;
const reference = /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?$/;
