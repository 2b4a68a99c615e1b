import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import { type LayerItem, layerTar } from "#core/builds/layer-tar.ts";
import { type FileTree, joined } from "#core/builds/tree.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import { formatPlatform } from "#core/images/platform.ts";
import { credentials } from "./client.ts";
import { writeContent } from "./client-content.ts";
import type { Assembled } from "./documents.ts";
import { imageArchive } from "./export-archive.ts";
import { type Built, compressionOf, namesOf, packed, toldOf } from "./export-image.ts";
import { sendArchive, sendFiles } from "./file-send.ts";
import type { Progress, Vertex } from "./progress.ts";
import type { Session } from "./session.ts";

/** Where a result goes. */
export interface Export {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Among the exports of its build: how the client tells its files apart. */
  readonly number: number;
}

/** What is handed out, and how the client is reached. */
export interface Shipment {
  readonly builds: Builds;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly built: readonly Built[];
  /** Of the provenance, only for images that go into a store. */
  readonly inlineOnly: boolean;
  readonly epoch: number | undefined;
  /** The image carries what it was made of, for builds elsewhere. */
  readonly inlineCache: boolean;
  /** Blobs that were made on the way. */
  readonly made: BuiltLayer[];
}

/** What was handed out. */
export interface Shipped {
  /** For the client. */
  readonly told: Record<string, string>;
  readonly image?: Assembled;
}

/** Hands a result out. */
export async function exportResult(shipment: Shipment, wanted: Export): Promise<Shipped> {
  const { type } = wanted;
  switch (type) {
    case "moby":
    case "image":
      return await shown(shipment, "exporting to image", (vertex) => toStore(shipment, wanted, vertex));
    case "oci":
    case "docker":
      return await shown(shipment, `exporting to ${type} image format`, (vertex) => toArchive(shipment, wanted, vertex));
    case "tar":
      return await shown(shipment, "exporting to client tarball", (vertex) => toTar(shipment, wanted, vertex));
    case "local":
      return await shown(shipment, "exporting to client directory", (vertex) => toDirectory(shipment, wanted, vertex));
    default:
      throw new EngineError("invalidArgument", `exporter ${JSON.stringify(type)} could not be found`);
  }
}

async function shown<T>({ progress }: Shipment, name: string, work: (vertex: Vertex) => Promise<T>): Promise<T> {
  const vertex = progress.vertex(name);
  try {
    const done = await work(vertex);
    vertex.done();
    return done;
  } catch (error) {
    vertex.failed(messageOf(error));
    throw error;
  }
}

async function toStore(shipment: Shipment, { attributes }: Export, vertex: Vertex): Promise<Shipped> {
  const { builds, built, epoch, signal, made, inlineCache } = shipment;
  const { builder } = builds.backends;
  const names = namesOf(attributes);
  const pushed = attributes.get("push") === "true";
  // Registries are sent what is small; what stays here is not packed until it must be.
  const compression = compressionOf(attributes) ?? (pushed ? "gzip" : "plain");
  const packing = { names, attributes, compression, epoch, inlineCache, signal, made: (layer: BuiltLayer) => void made.push(layer) };
  const image = await part(vertex, "exporting layers", () => packed(builder, built, packing));
  for (const { manifest, config } of image.images) {
    await part(vertex, `exporting manifest ${manifest.digest}`, () => Promise.resolve());
    await part(vertex, `exporting config ${config.digest}`, () => Promise.resolve());
  }
  if (image.target.digest !== image.images[0]?.manifest.digest) await part(vertex, `exporting manifest list ${image.target.digest}`, () => Promise.resolve());
  if (attributes.get("store") !== "false" || pushed) {
    const [only] = built;
    const untouched =
      built.length === 1 &&
      only?.result.state.base !== undefined &&
      only.statements.length === 0 &&
      !inlineCache &&
      compression === "plain" &&
      epoch === undefined;
    if (untouched) return { told: await asItIs(only, names, vertex) };
    await builder.registerSet({ target: image.target, documents: image.documents, names });
  }
  for (const name of names) await part(vertex, `naming to ${name}`, () => Promise.resolve());
  if (pushed) for (const name of names) await part(vertex, `pushing ${name} with digest ${image.target.digest}`, () => push(shipment, name));
  return { told: toldOf(image, names), image };
}

/** An image that a build has changed nothing of only gets more names. */
async function asItIs({ result }: Built, names: readonly string[], vertex: Vertex): Promise<Record<string, string>> {
  const id = await result.register(names);
  for (const name of names) await part(vertex, `naming to ${name}`, () => Promise.resolve());
  return { "containerimage.digest": id, ...(names.length === 0 ? {} : { "image.name": names.join(",") }) };
}

async function push({ builds, session, signal }: Shipment, name: string): Promise<void> {
  const auth = await credentials(session, name, signal);
  for await (const { error } of builds.backends.images.push({ reference: name, signal, ...(auth === undefined ? {} : { auth }) })) {
    if (error !== undefined) throw new EngineError("unavailable", error);
  }
}

async function toArchive(shipment: Shipment, { type, attributes, number }: Export, vertex: Vertex): Promise<Shipped> {
  const { builds, session, signal, epoch, inlineOnly, made, inlineCache } = shipment;
  const { builder } = builds.backends;
  const names = namesOf(attributes);
  const built = inlineOnly ? shipment.built.map((one) => ({ ...one, statements: [] })) : shipment.built;
  if (type === "docker" && (built.length > 1 || built.some(({ statements }) => statements.length > 0))) {
    throw new EngineError("invalidArgument", "docker exporter does not support exporting manifest lists, use the oci exporter instead");
  }
  const packing = {
    names,
    attributes,
    compression: compressionOf(attributes) ?? "gzip",
    epoch,
    inlineCache,
    signal,
    made: (layer: BuiltLayer) => void made.push(layer),
  };
  const image = await part(vertex, "exporting layers", () => packed(builder, built, packing));
  await part(vertex, `exporting manifest ${image.target.digest}`, () => Promise.resolve());
  if (attributes.get("tar") === "false") await part(vertex, "sending image", () => toClientStore(shipment, image));
  else {
    const created = epoch === undefined ? new Date() : new Date(epoch * 1000);
    const archive = imageArchive(builder, image, { names, docker: type === "docker", created, signal });
    await part(vertex, "sending tarball", () => sendArchive(session, archive, { number, signal }));
  }
  return { told: toldOf(image, names), image };
}

/** `tar=false`: the blobs one by one; the client writes the index itself. */
async function toClientStore({ builds, session, signal }: Shipment, image: Assembled): Promise<void> {
  for (const layer of image.layers) await writeContent(session, "export", layer, builds.backends.builder.open(layer.digest) as AsyncIterable<Buffer>, signal);
  for (const { descriptor, bytes } of image.documents) await writeContent(session, "export", descriptor, [bytes], signal);
}

async function toTar(shipment: Shipment, { number }: Export, vertex: Vertex): Promise<Shipped> {
  const { session, signal, epoch } = shipment;
  const items = (await treesOf(shipment)).flatMap(({ directory, tree }) => [...directoryItem(directory, epoch), ...itemsOf(tree, directory)]);
  const times = epoch === undefined ? undefined : { latest: epoch };
  await part(vertex, "sending tarball", () => sendArchive(session, layerTar(items, times), { number, signal }));
  return { told: {} };
}

async function toDirectory(shipment: Shipment, { number, attributes }: Export, vertex: Vertex): Promise<Shipped> {
  const { session, signal } = shipment;
  const split = attributes.get("platform-split");
  for (const { directory, tree } of await treesOf(shipment, split)) {
    const label = shipment.built.length > 1 ? `copying files ${directory.replace("_", "/")}` : "copying files";
    await part(vertex, label, () => sendFiles(session, tree, { number, signal, below: directory }));
  }
  return { told: {} };
}

/** Of several platforms each has a directory of its own. */
async function treesOf({ built }: Shipment, split = ""): Promise<{ directory: string; tree: FileTree }[]> {
  const apart = split === "" ? built.length > 1 : split === "true";
  return await Promise.all(
    built.map(async ({ result }) => ({ directory: apart ? formatPlatform(result.state.platform).replaceAll("/", "_") : "", tree: await result.files() })),
  );
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

async function part<T>(vertex: Vertex, id: string, work: () => Promise<T>): Promise<T> {
  const started = new Date();
  vertex.status(id, { started });
  const done = await work();
  vertex.status(id, { started, completed: new Date() });
  return done;
}
