import { EngineError, messageOf } from "#base/errors.ts";
import type { FileTree } from "#core/builds/tree.ts";
import { syncFiles } from "./file-sync.ts";
import { definitionBytesMax, type Frontend, scratch, shown } from "./frontend-work.ts";
import type { Vertex } from "./progress.ts";

/** A file of a tree; undefined where there is none. */
export async function textIn(tree: FileTree, path: string): Promise<string | undefined> {
  const entry = tree.lstat(path);
  if (entry?.type !== "file") return undefined;
  if (entry.size > definitionBytesMax) throw new EngineError("invalidArgument", `${path} is larger than the ${definitionBytesMax} bytes accepted`);
  const chunks: Buffer[] = [];
  for await (const chunk of tree.read(entry)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** What of which of the client's directories is to come. */
interface Transfer {
  readonly name: string;
  readonly what: string;
  readonly follow: readonly string[];
  readonly excludes: readonly string[];
}

/** A directory of the client's, told of under `vertex`. */
export async function transferred(
  { builds, session, signal, locals }: Frontend,
  vertex: Vertex,
  { name, what, follow, excludes }: Transfer,
): ReturnType<typeof syncFiles> {
  const started = new Date();
  const id = `transferring ${what}:`;
  locals.add(name);
  let current = 0;
  const onProgress = (bytes: number): void => {
    // Told once a megabyte.
    if (Math.floor(bytes / 2 ** 20) > Math.floor(current / 2 ** 20)) vertex.status(id, { current: bytes, started });
    current = bytes;
  };
  const tree = await syncFiles(session, { directory: name, excludes, follow, spool: scratch(builds), signal, onProgress });
  void tree.arrived.then(
    () => vertex.status(id, { current, started, completed: new Date() }),
    () => undefined,
  );
  return tree;
}

/** A directory of the client's under a line of its own, which lasts until the bytes are here: steps begin as soon as the names are known. */
export async function arriving(frontend: Frontend, label: string, transfer: Transfer): Promise<FileTree> {
  const vertex = frontend.progress.vertex(label);
  try {
    const tree = frontend.undo.use(await transferred(frontend, vertex, transfer));
    // What does not come is told by the step that wants it.
    void tree.arrived.catch(() => undefined).then(() => vertex.done());
    return tree;
  } catch (error) {
    vertex.failed(messageOf(error));
    throw error;
  }
}

/** What the .dockerignore of one of the client's directories says. */
export function ignoreFile(frontend: Frontend, label: string, directory: Pick<Transfer, "name" | "what">): Promise<string | undefined> {
  return shown(frontend.progress, label, async (vertex) => {
    await using tree = await transferred(frontend, vertex, { ...directory, follow: [".dockerignore"], excludes: [] });
    await tree.arrived;
    return await textIn(tree, ".dockerignore");
  });
}
