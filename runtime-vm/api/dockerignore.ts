interface Pattern {
  readonly regexp: RegExp;
  readonly exception: boolean;
}

/** Patterns of a .dockerignore: the last that matches a path, or a directory it is in, counts. */
export class IgnorePatterns {
  readonly #patterns: readonly Pattern[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => ({ exception: pattern.startsWith("!"), regexp: regexpOf(pattern.replace(/^!/, "")) }));
  }

  /** Something in an ignored directory may be asked for again. */
  get hasExceptions(): boolean {
    return this.#patterns.some(({ exception }) => exception);
  }

  /** `path` has no slash at its ends. */
  ignores(path: string): boolean {
    const parts = path.split("/");
    const chain = parts.map((_, i) => parts.slice(0, parts.length - i).join("/"));
    let ignored = false;
    for (const { regexp, exception } of this.#patterns) {
      if (exception === ignored && chain.some((one) => regexp.test(one))) ignored = !exception;
    }
    return ignored;
  }
}

/** The patterns in a .dockerignore, as dockerd reads them: comments and blank lines off, paths cleaned, no slash in front. */
export function readIgnoreFile(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .flatMap((line) => {
      const exception = line.startsWith("!");
      const path = exception ? line.slice(1).trim() : line;
      if (path === "") return exception ? ["!"] : [];
      const cleaned = clean(path);
      const relative = cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
      return [exception ? `!${relative}` : relative];
    });
}

/** moby's patternmatcher: `**` stands for any number of names. */
function regexpOf(pattern: string): RegExp {
  const text = clean(pattern).replace(/^\/+|\/+$/g, "");
  let source = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (char === "*" && text[i + 1] === "*") {
      i += 1;
      if (text[i + 1] === "/") i += 1;
      source += i + 1 >= text.length ? ".*" : "(.*/)?";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[" && text.indexOf("]", i + 1) > 0) {
      const end = text.indexOf("]", i + 1);
      source += `[${text.slice(i + 1, end).replaceAll("\\", "\\\\")}]`;
      i = end;
    } else if (char === "\\" && i + 1 < text.length) {
      i += 1;
      source += quoted(text[i] ?? "");
    } else source += quoted(char);
  }
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    // A pattern that is not sound matches itself alone.
    return new RegExp(`^${Array.from(text, quoted).join("")}$`);
  }
}

const quoted = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/-]/, "\\$&");

/** Go's path.Clean: no empty name, no `.`, no `..` after a name. */
function clean(path: string): string {
  const kept: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === ".." && kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (name !== ".." || !path.startsWith("/")) kept.push(name);
  }
  return `${path.startsWith("/") ? "/" : ""}${kept.join("/")}` || ".";
}
