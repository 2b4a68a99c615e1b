import { type Document, isMap, isPair, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from "yaml";

/** Something wrong with a compose file, at a line from 1 where that is known. */
export interface FileProblem {
  readonly line: number | undefined;
  readonly message: string;
}

/** What a YAML reader says of the text, with its place; none: it can be read. */
export function syntaxProblems(text: string): readonly FileProblem[] {
  const { errors } = parseDocument(text, { prettyErrors: true });
  return errors.map(({ message, linePos }) => ({ line: linePos?.[0].line, message: message.split(/ at line \d+/)[0] ?? message }));
}

/**
 * Where in the text docker compose's words belong: it names things by their place in the file (`services.web.image must be a string`) or by
 * their names (`service "web" depends on undefined service "db"`), and tells a line only of what is no YAML.
 */
export function problemAt(text: string, words: string): FileProblem {
  const message = words.replace(/^validating [^:]+: /, "").replace(/: invalid compose project$/, "");
  const [, said] = /\bline (\d+)/.exec(words) ?? [];
  if (said !== undefined) return { line: Number(said), message };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const offset = placeIn(document, message);
  return { line: offset === undefined ? undefined : lines.linePos(offset).line, message };
}

function placeIn(document: Document, message: string): number | undefined {
  const [within, offset] = deepest(document, pathIn(message));
  const [, extra] = /Additional propert(?:y|ies) (\S+)/.exec(message) ?? [];
  if (extra !== undefined && isMap(within)) return keyOffset(within.items.find(({ key }) => isScalar(key) && key.value === extra)) ?? offset;
  for (const name of namesIn(message).toReversed()) {
    const at = mentioned(within ?? document.contents, name);
    if (at !== undefined) return at;
  }
  return offset;
}

/** `services.web.ports.0` as it is written, or made of `service "web"`. */
function pathIn(message: string): readonly string[] {
  const [, dotted] = /\b((?:services|volumes|networks|configs|secrets)(?:\.[\w-]+|\[[^\]]+\])+)/.exec(message) ?? [];
  if (dotted !== undefined) return dotted.split(/[.[\]]+/).filter((part) => part !== "");
  const [, kind = "", name = ""] = /\b(service|volume|network|config|secret) "?([\w.-]+)"?/.exec(message) ?? [];
  return kind === "" ? [] : [`${kind}s`, name];
}

const namesIn = (message: string): readonly string[] => {
  const quoted = [...message.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
  const last = /(?:undefined \w+|:) ([\w./-]+)$/.exec(message)?.[1];
  return last === undefined ? quoted : [...quoted, last];
};

/** As far down the path as the file goes, and where what it ends at is named. */
function deepest(document: Document, path: readonly string[]): readonly [Node | null, number | undefined] {
  let node: Node | null = document.contents;
  let offset: number | undefined;
  for (const name of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
      if (pair === undefined) break;
      offset = keyOffset(pair) ?? offset;
      node = pair.value as Node | null;
    } else {
      const item: unknown = node !== null && "items" in node ? node.items[Number(name)] : undefined;
      if (item === undefined || isPair(item)) break;
      node = item as Node;
      offset = node.range?.[0] ?? offset;
    }
  }
  return [node, offset];
}

const keyOffset = (pair: Pair | undefined): number | undefined => (isScalar(pair?.key) ? pair.key.range?.[0] : undefined);

/** Where a value or key below `node` is that text, or has it in it. */
function mentioned(node: Node | null, name: string): number | undefined {
  let exact: number | undefined;
  let part: number | undefined;
  if (node === null) return undefined;
  visit(node, {
    Scalar: (_, { value, range }) => {
      if (String(value) === name) exact ??= range?.[0];
      else if (typeof value === "string" && value.includes(name)) part ??= range?.[0];
    },
  });
  return exact ?? part;
}

/** Names that docker compose looks for in a folder, in its order; an override goes over the first that is there. */
const bases = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const overrides = ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/** The compose files of a folder that has these names. */
export function composeFilesOf(names: readonly string[]): readonly string[] {
  const base = bases.find((name) => names.includes(name));
  const override = overrides.find((name) => names.includes(name));
  return base === undefined ? [] : override === undefined ? [base] : [base, override];
}
