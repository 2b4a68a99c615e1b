import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import { credentials } from "./client.ts";
import { writeContent } from "./client-content.ts";
import type { Assembled } from "./documents.ts";
import { imageArchive } from "./export-archive.ts";
import { exportedTrees, treeTar } from "./export-files.ts";
import { type Built, compressionOf, handedOut, namesOf, packed, toldOf } from "./export-image.ts";
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
  readonly tool: string;
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
  const { builds, built, epoch, signal, made, inlineCache, tool } = shipment;
  const { builder } = builds.backends;
  const names = namesOf(attributes);
  const pushed = attributes.get("push") === "true";
  // Registries are sent what is small; what stays here is not packed until it must be.
  const compression = compressionOf(attributes) ?? (pushed ? "gzip" : "plain");
  const packing = { names, attributes, compression, epoch, inlineCache, signal, tool, made: (layer: BuiltLayer) => void made.push(layer) };
  const image = await part(vertex, "exporting layers", () => packed(builder, built, packing));
  await tellDocuments(vertex, image);
  if (attributes.get("store") !== "false" || pushed) {
    const [only] = built;
    const untouched =
      built.length === 1 &&
      only?.result.state.base !== undefined &&
      only.statements === undefined &&
      !inlineCache &&
      compression === "plain" &&
      epoch === undefined;
    if (untouched) return { told: await asItIs(only, names, vertex) };
    await builder.registerSet({ target: image.target, documents: image.documents, names });
  }
  await tellNames(vertex, image.target.digest, names);
  if (pushed) for (const name of names) await part(vertex, `pushing ${name} with digest ${image.target.digest}`, () => push(shipment, name));
  return { told: toldOf(image, names), image };
}

/** An image that a build has changed nothing of only gets more names. */
async function asItIs({ result }: Built, names: readonly string[], vertex: Vertex): Promise<Record<string, string>> {
  const id = await result.register(names);
  await tellNames(vertex, id, names);
  return { "containerimage.digest": id, ...(names.length === 0 ? {} : { "image.name": names.join(",") }) };
}

/** Lines for what took no time: the bytes were there already. */
async function tellDocuments(vertex: Vertex, { target, images }: Assembled): Promise<void> {
  const tell = (what: string): Promise<void> => part(vertex, what, () => Promise.resolve());
  for (const { manifest, config, attestation } of images) {
    await tell(`exporting manifest ${manifest.digest}`);
    await tell(`exporting config ${config.digest}`);
    if (attestation !== undefined) await tell(`exporting attestation manifest ${attestation.digest}`);
  }
  if (target.digest !== images[0]?.manifest.digest) await tell(`exporting manifest list ${target.digest}`);
}

/** An image without a name has one for nobody but the store. */
async function tellNames(vertex: Vertex, id: string, names: readonly string[]): Promise<void> {
  for (const name of names.length === 0 ? [`moby-dangling@${id}`] : names) {
    await part(vertex, `naming to ${name}`, () => Promise.resolve());
    await part(vertex, `unpacking to ${name}`, () => Promise.resolve());
  }
}

async function push(shipment: Shipment, name: string): Promise<void> {
  try {
    await upload(shipment, name);
  } catch (error) {
    shipment.signal.throwIfAborted();
    throw new EngineError("invalidArgument", `failed to push ${name}: ${messageOf(error)}`, { cause: error });
  }
}

async function upload({ builds, session, signal }: Shipment, name: string): Promise<void> {
  const auth = await credentials(session, name, signal);
  for await (const { error } of builds.backends.images.push({ reference: name, signal, ...(auth === undefined ? {} : { auth }) })) {
    if (error !== undefined) throw new EngineError("invalidArgument", error);
  }
}

async function toArchive(shipment: Shipment, { type, attributes, number }: Export, vertex: Vertex): Promise<Shipped> {
  const { builds, session, signal, epoch, made, inlineCache, tool } = shipment;
  const { builder } = builds.backends;
  const names = namesOf(attributes);
  const built = shipment.built.map(handedOut);
  if (type === "docker" && (built.length > 1 || built.some(({ statements }) => statements !== undefined))) {
    throw new EngineError("invalidArgument", "docker exporter does not support exporting manifest lists, use the oci exporter instead");
  }
  const packing = {
    names,
    attributes,
    compression: compressionOf(attributes) ?? "gzip",
    epoch,
    inlineCache,
    signal,
    tool,
    made: (layer: BuiltLayer) => void made.push(layer),
  };
  const image = await part(vertex, "exporting layers", () => packed(builder, built, packing));
  await tellDocuments(vertex, image);
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

async function toTar({ built, session, signal, epoch }: Shipment, { number, attributes }: Export, vertex: Vertex): Promise<Shipped> {
  const archive = treeTar(await exportedTrees(built, { attributes, epoch }), epoch);
  await part(vertex, "sending tarball", () => sendArchive(session, archive, { number, signal }));
  return { told: {} };
}

async function toDirectory({ built, session, signal, epoch }: Shipment, { number, attributes }: Export, vertex: Vertex): Promise<Shipped> {
  for (const { directory, tree } of await exportedTrees(built, { attributes, epoch })) {
    const label = built.length > 1 ? `copying files ${directory.replace("_", "/")}` : "copying files";
    await part(vertex, label, () => sendFiles(session, tree, { number, signal, below: directory }));
  }
  return { told: {} };
}

async function part<T>(vertex: Vertex, id: string, work: () => Promise<T>): Promise<T> {
  const started = new Date();
  vertex.status(id, { started });
  const done = await work();
  vertex.status(id, { started, completed: new Date() });
  return done;
}
