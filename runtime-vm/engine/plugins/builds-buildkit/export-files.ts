import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import { type LayerItem, layerTar } from "#core/builds/layer-tar.ts";
import { type FileTree, joined, type TreeEntry } from "#core/builds/tree.ts";
import { formatPlatform } from "#core/images/platform.ts";
import { statementType, type Statement } from "./documents.ts";
import { type Built, handedOut } from "./export-image.ts";

/** The files of one platform, and where they go. */
export interface ExportedTree {
  /** "": the client's directory itself. */
  readonly directory: string;
  readonly tree: FileTree;
}

interface Wanted {
  readonly attributes: ReadonlyMap<string, string>;
  readonly epoch: number | undefined;
}

/** Of several platforms each has a directory of its own; what is said of the files lies beside them. */
export async function exportedTrees(built: readonly Built[], { attributes, epoch }: Wanted): Promise<ExportedTree[]> {
  const split = attributes.get("platform-split") ?? "";
  const apart = split === "" ? built.length > 1 : split === "true";
  return await Promise.all(
    built.map(async (one) => {
      const platform = formatPlatform(one.result.state.platform).replaceAll("/", "_");
      const tree = await one.result.files();
      const { statements = [] } = handedOut(one);
      const names = { prefix: attributes.get("attestation-prefix") ?? "", platform: built.length > 1 && !apart ? platform : "" };
      const files = statements.length === 0 ? new Map<string, Buffer>() : await statementFiles(tree, statements, names);
      return { directory: apart ? platform : "", tree: files.size === 0 ? tree : withFiles(tree, files, epoch ?? Math.floor(Date.now() / 1000)) };
    }),
  );
}

/** All of them as one archive. */
export function treeTar(trees: readonly ExportedTree[], epoch: number | undefined): AsyncGenerator<Buffer> {
  const items = trees.flatMap(({ directory, tree }) => [...directoryItem(directory, epoch), ...itemsOf(tree, directory)]);
  return layerTar(items, epoch === undefined ? undefined : { latest: epoch });
}

/** Each statement's subject is every file there is. */
async function statementFiles(
  tree: FileTree,
  statements: readonly Statement[],
  { prefix, platform }: { prefix: string; platform: string },
): Promise<Map<string, Buffer>> {
  const subject: { name: string; digest: { sha256: string } }[] = [];
  for (const { entry } of itemsOf(tree, "")) if (entry.type === "file") subject.push({ name: entry.path, digest: { sha256: await tree.digest(entry) } });
  const files = new Map<string, Buffer>();
  for (const { name, predicateType, predicate } of statements) {
    const { name: stem, ext } = posix.parse(`${prefix}${name}`);
    const path = platform === "" ? `${stem}${ext}` : `${stem}.${platform}${ext}`;
    if (files.has(path)) throw new EngineError("invalidArgument", `duplicate attestation path name ${path}`);
    files.set(path, Buffer.from(JSON.stringify({ _type: statementType, predicateType, subject, predicate }, undefined, 2)));
  }
  return files;
}

/** A tree with more files at its top. */
function withFiles(tree: FileTree, files: ReadonlyMap<string, Buffer>, mtime: number): FileTree {
  const entryOf = (path: string, { length }: Buffer): TreeEntry => ({ path, type: "file", mode: 0o600, uid: 0, gid: 0, size: length, mtime });
  const lstat = (path: string): TreeEntry | undefined => {
    const bytes = files.get(path);
    return bytes === undefined ? tree.lstat(path) : entryOf(path, bytes);
  };
  return {
    lstat,
    names: (path) => (path === "" ? [...new Set([...tree.names(""), ...files.keys()])].toSorted() : tree.names(path)),
    read: (entry) => {
      const bytes = files.get(entry.path);
      return bytes === undefined ? tree.read(entry) : one(bytes);
    },
    digest: (entry) => tree.digest(entry),
  };
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

function directoryItem(path: string, epoch: number | undefined): LayerItem[] {
  if (path === "") return [];
  return [{ entry: { path, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: epoch ?? Math.floor(Date.now() / 1000) } }];
}

function* itemsOf(tree: FileTree, below: string, path = ""): Generator<LayerItem> {
  for (const name of tree.names(path)) {
    const entry = tree.lstat(joined(path, name));
    if (entry === undefined) continue;
    yield { entry: { ...entry, path: joined(below, entry.path) }, ...(entry.type === "file" ? { from: { tree, entry } } : {}) };
    if (entry.type === "directory") yield* itemsOf(tree, below, entry.path);
  }
}
