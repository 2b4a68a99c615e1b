import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { BuildResult, Builds } from "#core/builds/builds.ts";
import { type LayerItem, layerTar } from "#core/builds/layer-tar.ts";
import { type FileTree, joined } from "#core/builds/tree.ts";
import { credentials } from "./client.ts";
import type { Job } from "./job.ts";
import { sendArchive, sendFiles } from "./file-send.ts";
import type { Vertex } from "./progress.ts";

/** Where a result goes. */
export interface Export {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Hands a result out; what the client is told of it. */
export async function exportResult(builds: Builds, job: Job, result: BuildResult, { type, attributes }: Export): Promise<Record<string, string>> {
  switch (type) {
    case "moby":
    case "image":
      return await toStore(builds, job, result, attributes);
    case "tar":
    case "local":
      return await toClient(job, result, type);
    default:
      throw new EngineError("notImplemented", `output type=${type} is not given by this engine; build with --load and use docker save`);
  }
}

async function toStore(builds: Builds, job: Job, result: BuildResult, attributes: ReadonlyMap<string, string>): Promise<Record<string, string>> {
  const names = (attributes.get("name") ?? "")
    .split(",")
    .filter((name) => name !== "")
    .map((name) => normalizedName(withDefaultTag(parseReference(name))));
  const vertex = job.progress.vertex("exporting to image");
  try {
    const id = await part(vertex, "exporting layers", () => result.register(names));
    await part(vertex, `writing image ${id}`, () => Promise.resolve());
    for (const name of names) await part(vertex, `naming to ${name}`, () => Promise.resolve());
    if (attributes.get("push") === "true") for (const name of names) await part(vertex, `pushing ${name}`, () => push(builds, job, name));
    vertex.done();
    return { "containerimage.digest": id, ...(names.length === 0 ? {} : { "image.name": names.join(",") }) };
  } catch (error) {
    vertex.failed(messageOf(error));
    throw error;
  }
}

/** The image's files go to the client: as an archive, or into a directory of its. */
async function toClient(job: Job, result: BuildResult, type: "tar" | "local"): Promise<Record<string, string>> {
  const vertex = job.progress.vertex(type === "tar" ? "exporting to client tarball" : "exporting to client directory");
  try {
    const tree = await result.files();
    await part(vertex, type === "tar" ? "sending tarball" : "copying files", () =>
      type === "tar" ? sendArchive(job.session, layerTar(itemsOf(tree)), job.signal) : sendFiles(job.session, tree, job.signal),
    );
    vertex.done();
    return {};
  } catch (error) {
    vertex.failed(messageOf(error));
    throw error;
  }
}

function* itemsOf(tree: FileTree, path = ""): Generator<LayerItem> {
  for (const name of tree.names(path)) {
    const entry = tree.lstat(joined(path, name));
    if (entry === undefined) continue;
    yield { entry, ...(entry.type === "file" ? { from: { tree, entry } } : {}) };
    if (entry.type === "directory") yield* itemsOf(tree, entry.path);
  }
}

async function part<T>(vertex: Vertex, id: string, work: () => Promise<T>): Promise<T> {
  const started = new Date();
  vertex.status(id, { started });
  const done = await work();
  vertex.status(id, { started, completed: new Date() });
  return done;
}

async function push({ backends }: Builds, { session, signal }: Job, name: string): Promise<void> {
  const auth = await credentials(session, name, signal);
  for await (const { error } of backends.images.push({ reference: name, signal, ...(auth === undefined ? {} : { auth }) })) {
    if (error !== undefined) throw new EngineError("unavailable", error);
  }
}
