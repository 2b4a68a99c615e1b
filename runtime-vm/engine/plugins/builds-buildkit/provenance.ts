import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { BuildMaterial } from "#core/builds/work.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { attestOptions } from "./attests.ts";
import type { Statement } from "./documents.ts";
import type { Definition } from "./frontend.ts";

/** What a build was asked for and what it took, for the statement about where an image comes from. */
export interface Origin {
  readonly invocation: string;
  readonly frontend: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly definition: Definition | undefined;
  readonly materials: readonly BuildMaterial[];
  readonly started: Date;
  readonly finished: Date;
  /** The platform of this engine. */
  readonly host: Platform;
  /** The client's directories that were read. */
  readonly locals: readonly string[];
}

/** `--provenance`, as the frontend is told. */
export interface ProvenanceOptions {
  readonly mode: "min" | "max";
  /** Only with images that go into a store. */
  readonly inlineOnly: boolean;
  readonly version: "v0.2" | "v1";
}

export function provenanceOptions(attributes: ReadonlyMap<string, string>): ProvenanceOptions | undefined {
  const fields = attestOptions(attributes, "provenance");
  if (fields === undefined) return undefined;
  return {
    mode: fields.get("mode") === "max" ? "max" : "min",
    inlineOnly: fields.get("inline-only") === "true",
    version: fields.get("version") === "v1" ? "v1" : "v0.2",
  };
}

const buildType = "https://mobyproject.org/buildkit@v1";
const metadataKey = "https://mobyproject.org/buildkit@v1#metadata";
const hostSpecific = new Set(["cgroup-parent", "image-resolve-mode", "platform", "cache-imports"]);

/** SLSA's provenance (slsa.dev/provenance/v0.2 and v1) with BuildKit's extensions. */
export function provenance(origin: Origin, { mode, version, inlineOnly }: ProvenanceOptions): Statement {
  const parts = partsOf(origin, mode);
  const file = { name: "provenance.json", inlineOnly };
  return version === "v1"
    ? { ...file, predicateType: "https://slsa.dev/provenance/v1", predicate: v1(origin, parts) }
    : { ...file, predicateType: "https://slsa.dev/provenance/v0.2", predicate: v02(origin, parts) };
}

interface Parts {
  readonly configSource: Record<string, unknown>;
  readonly parameters: Record<string, unknown>;
  readonly completeness: { readonly parameters: boolean; readonly environment: boolean; readonly materials: boolean };
  readonly more: Record<string, unknown>;
}

function partsOf({ attributes, frontend, definition, materials, locals }: Origin, mode: "min" | "max"): Parts {
  const args: Record<string, string> = {};
  const vcs: Record<string, string> = {};
  let withheld = false;
  const contextKey = attributes.get("contextkey") ?? "context";
  const context = attributes.get(contextKey) ?? "";
  for (const [name, value] of [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (name === "filename" || name === contextKey || hostSpecific.has(name) || name.startsWith("attest:")) continue;
    if (name.startsWith("vcs:")) vcs[name.slice("vcs:".length)] = redacted(value);
    else if (mode === "min" && /^(build-arg|label):/.test(name)) withheld = true;
    else args[name] = name.startsWith("context:") ? redacted(value) : value;
  }
  const configSource = {
    ...(context === "" ? {} : { uri: redacted(context), ...digestOf(materials, context) }),
    entryPoint: posix.basename(definition?.filename ?? "Dockerfile"),
  };
  const parameters = {
    frontend,
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...(locals.length === 0 ? {} : { locals: locals.toSorted().map((name) => ({ name })) }),
  };
  const source =
    mode === "max" && definition !== undefined
      ? { source: { infos: [{ filename: definition.filename, language: "Dockerfile", data: Buffer.from(definition.text).toString("base64") }] } }
      : {};
  return {
    configSource,
    parameters,
    completeness: { parameters: !withheld, environment: true, materials: locals.length === 0 },
    more: { ...(Object.keys(vcs).length === 0 || mode === "min" ? {} : { vcs }), ...source },
  };
}

const digestOf = (materials: readonly BuildMaterial[], uri: string): { digest?: BuildMaterial["digest"] } => {
  const found = materials.find((one) => one.uri === uri);
  return found === undefined ? {} : { digest: found.digest };
};

function v02({ materials, host, invocation, started, finished }: Origin, { configSource, parameters, completeness, more }: Parts): unknown {
  return {
    builder: { id: "" },
    buildType,
    materials,
    invocation: { configSource, parameters, environment: { platform: formatPlatform(host) } },
    metadata: {
      buildInvocationID: invocation,
      buildStartedOn: started.toISOString(),
      buildFinishedOn: finished.toISOString(),
      completeness,
      reproducible: false,
      ...(Object.keys(more).length === 0 ? {} : { [metadataKey]: more }),
    },
  };
}

function v1({ materials, host, invocation, started, finished }: Origin, { configSource, parameters, completeness, more }: Parts): unknown {
  const { entryPoint, ...source } = configSource;
  return {
    buildDefinition: {
      buildType: "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
      externalParameters: { configSource: { ...source, path: entryPoint }, request: parameters },
      internalParameters: { builderPlatform: formatPlatform(host) },
      resolvedDependencies: materials,
    },
    runDetails: {
      builder: { id: "" },
      metadata: {
        invocationId: invocation,
        startedOn: started.toISOString(),
        finishedOn: finished.toISOString(),
        buildkit_completeness: { request: completeness.parameters, resolvedDependencies: completeness.materials },
        ...(Object.keys(more).length === 0 ? {} : { buildkit_metadata: more }),
      },
    },
  };
}

/** An address without the password that may be in it. */
const redacted = (address: string): string => address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1xxxxx@");

/** A name for one run of a build, as short as BuildKit's. */
export const invocationId = (seed: string): string =>
  BigInt(`0x${createHash("sha256").update(seed).digest("hex").slice(0, 32)}`)
    .toString(36)
    .padStart(25, "0")
    .slice(0, 25);
