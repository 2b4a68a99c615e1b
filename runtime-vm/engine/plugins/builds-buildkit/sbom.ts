import { EngineError, messageOf } from "#base/errors.ts";
import { parseReference } from "#api/reference.ts";
import type { BuildResult } from "#core/builds/builds.ts";
import type { ScannerRequest } from "#core/builds/request.ts";
import type { ScannedFile } from "#core/builds/scan.ts";
import { wholeName } from "#core/builds/find.ts";
import { treePath } from "#core/builds/tree.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import { attestOptions } from "./attests.ts";
import type { Statement } from "./documents.ts";

export const generatorDefault = "docker/buildkit-syft-scanner:stable-1";
const spdx = "https://spdx.dev/Document";

/** `--sbom`: the image that lists what is in the result, and what it is told. */
export function scannerOf(attributes: ReadonlyMap<string, string>): ScannerRequest | undefined {
  const options = attestOptions(attributes, "sbom");
  if (options === undefined) return undefined;
  const { generator = generatorDefault, ...parameters } = Object.fromEntries(options);
  if (generator === "") throw new EngineError("invalidArgument", "sbom generator cannot be empty");
  try {
    parseReference(generator);
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to parse sbom generator ${generator}: ${messageOf(error)}`, { cause: error });
  }
  return { reference: wholeName(generator) ?? generator, parameters: new Map(Object.entries(parameters)) };
}

/** What a scanner wrote, as statements: that of the image itself first. */
export function sbomStatements(files: readonly ScannedFile[]): Statement[] {
  const all = files.map(statementOf);
  return [...all.filter(isCore), ...all.filter((one) => !isCore(one))];
}

function statementOf({ name, bytes }: ScannedFile): Statement {
  const told = parsed(bytes);
  const predicateType = typeof told["predicateType"] === "string" ? told["predicateType"] : "";
  if (predicateType !== spdx) throw new EngineError("invalidArgument", `bundle entry ${predicateType} does not match required predicate type ${spdx}`);
  return { name, predicateType, predicate: told["predicate"] ?? null };
}

function parsed(bytes: Buffer): Record<string, unknown> {
  let told: unknown;
  try {
    told = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new EngineError("invalidArgument", `cannot decode in-toto statement: ${messageOf(error)}`, { cause: error });
  }
  if (!isRecord(told)) throw new EngineError("invalidArgument", "cannot decode in-toto statement: it is no JSON object");
  return told;
}

/** Named after the image's own file system, as the protocol has it. */
const isCore = ({ name }: Statement): boolean => name.split(".", 1)[0] === "sbom";

/** In an SPDX document of the image, says of each file which layer it is from, unless it has a comment of its own. */
export async function withLayers(
  statement: Statement,
  { layersOf, stored, tool }: { layersOf: BuildResult["layersOf"]; stored: readonly BuiltLayer[]; tool: string },
): Promise<Statement> {
  const { predicate, predicateType } = statement;
  if (!isCore(statement) || predicateType !== spdx || !isRecord(predicate) || typeof predicate["spdxVersion"] !== "string") return statement;
  const { creationInfo, files } = predicate;
  const info = isRecord(creationInfo) ? creationInfo : {};
  const creators = Array.isArray(info["creators"]) ? (info["creators"] as unknown[]) : [];
  const created = { ...predicate, creationInfo: { ...info, creators: [...creators, `Tool: ${tool}`] } };
  if (!Array.isArray(files)) return { ...statement, predicate: created };
  const layers = await layersOf((files as unknown[]).map(pathOf).filter((path) => path !== undefined));
  const blobs = new Map(stored.map(({ diffId, blob }) => [diffId, blob.digest]));
  const commented = (files as unknown[]).map((file) => {
    const layer = layers.get(pathOf(file) ?? "");
    const blob = layer === undefined ? undefined : blobs.get(layer);
    return blob === undefined ? file : { ...(file as object), comment: `layerID: ${blob}` };
  });
  return { ...statement, predicate: { ...created, files: commented } };
}

/** Of a file that has no comment yet. */
function pathOf(file: unknown): string | undefined {
  const name = isRecord(file) && (file["comment"] ?? "") === "" ? file["fileName"] : undefined;
  return typeof name === "string" && name.startsWith("/") ? treePath(name) : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
