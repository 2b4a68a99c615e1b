import { EngineError, messageOf } from "#base/errors.ts";
import type { BuildRequest } from "#core/builds/request.ts";
import type { FileTree } from "#core/builds/tree.ts";
import type { BuildMaterial } from "#core/builds/work.ts";
import type { CheckWarning } from "#core/dockerfile/check.ts";
import { DockerfileError } from "#core/dockerfile/errors.ts";
import { readIgnoreFile } from "#api/dockerignore.ts";
import type { Dockerfile } from "#core/dockerfile/instructions.ts";
import { parseDockerfile } from "#core/dockerfile/parse.ts";
import { readSource, type Source } from "#core/dockerfile/source.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { type Attributes, readAttributes } from "./attributes.ts";
import { checkAttests } from "./attests.ts";
import { type Checked, checked, checkedAlone } from "./checks.ts";
import { agentSocket, credentials, secret } from "./client.ts";
import { arriving, ignoreFile, textIn, transferred } from "./client-folders.ts";
import { type Frontend, scratch, shown } from "./frontend-work.ts";
import { namedContext } from "./named-contexts.ts";
import { type RemoteContext, remoteContext } from "./remote-context.ts";
import { scannerOf } from "./sbom.ts";

/** The text that was built, for showing its lines. */
export interface Definition {
  readonly filename: string;
  readonly text: string;
}

/** An error in a Dockerfile, with the Dockerfile. */
export class DefinitionError extends Error {
  readonly definition: Definition;
  constructor(definition: Definition, cause: unknown) {
    super(messageOf(cause), { cause });
    this.definition = definition;
  }
}

/** What a client has asked for: one build for each platform. */
export interface Prepared {
  readonly requests: readonly BuildRequest[];
  readonly definition: Definition;
  readonly dockerfile: Dockerfile;
  readonly attributes: Attributes;
  readonly checked: Checked;
}

/** Dockerfile syntax as a frontend of BuildKit: attributes and the client's files become requests of builds. */
export async function prepareBuild(frontend: Frontend, given: ReadonlyMap<string, string>): Promise<Prepared> {
  const { builds, session, progress, signal } = frontend;
  const attributes = readAttributes(given, builds.backends.host);
  checkAttests(given);
  const scanner = scannerOf(given);
  const materials: BuildMaterial[] = [];
  const fetched = async (address: string): Promise<RemoteContext> => {
    const found = await remoteContext(frontend, address, attributes);
    if (found.material !== undefined) materials.push(found.material);
    return found;
  };
  const remote = attributes.context === "" ? undefined : await fetched(attributes.context);
  const filename = remote?.filename ?? attributes.filename;
  const { text, ignores } = remote === undefined ? await localDefinition(frontend, attributes) : await treeDefinition(remote.tree, filename);
  const definition = { filename, text };
  const { source, dockerfile } = parsed(definition);
  const { args, labels, ignoresCache, pull, platforms, hostConfig, target, epoch } = attributes;
  const asked = given.has("requestid");
  const warned = await (asked ? checkedAlone : checked)(builds, { source, dockerfile }, attributes);
  // Who asks for them is answered with them.
  if (!asked) for (const warning of warned.warnings) progress.warn(warning, definition);
  if (warned.policy.fails && warned.warnings.length > 0 && !asked) throw violation(warned.warnings);
  const warn = (warning: CheckWarning): void => {
    if (warned.policy.skips(warning.rule)) return;
    progress.warn(warning, definition);
    if (warned.policy.fails) throw violation([warning]);
  };
  let context: Promise<FileTree> | undefined;
  const localContext = (): Promise<FileTree> =>
    arriving(frontend, "[internal] load build context", { name: attributes.contextName, what: "context", excludes: ignores, follow: copiedPaths(dockerfile) });
  const named = new Map([...attributes.contexts].map(([name, value]) => [name, namedContext(frontend, name, value, fetched)]));
  const requestOf = (platform: Platform | undefined): BuildRequest => ({
    flavor: "buildkit",
    source,
    dockerfile,
    target,
    args,
    labels,
    ignoresCache,
    pull,
    platform,
    hostConfig,
    context: () => (context ??= remote === undefined ? localContext() : Promise.resolve(remote.tree)),
    named,
    auth: (image) => credentials(session, image, signal),
    secret: (id) => secret(session, id, signal),
    ssh: (id) => agentSocket(session, id, { path: scratch(builds), signal }),
    epoch,
    materials,
    entitlements: frontend.entitlements,
    ...(scanner === undefined ? {} : { scanner }),
    ...(frontend.imported === undefined ? {} : { imported: frontend.imported }),
    warn,
    observer: platform === undefined || platforms.length < 2 ? progress : progress.under(formatPlatform(platform)),
    signal,
  });
  const requests = platforms.length === 0 ? [requestOf(undefined)] : platforms.map(requestOf);
  return { requests, definition, dockerfile, attributes, checked: warned };
}

const violation = (warnings: readonly CheckWarning[]): EngineError =>
  new EngineError("invalidArgument", `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(", ")}`);

export function parsed(definition: Definition): { source: Source; dockerfile: Dockerfile } {
  try {
    const source = readSource(definition.text);
    const dockerfile = parseDockerfile(source);
    if (dockerfile.stages.length === 0) throw new EngineError("invalidArgument", "dockerfile contains no stages to build");
    return { source, dockerfile };
  } catch (error) {
    throw error instanceof DockerfileError ? new DefinitionError(definition, error) : error;
  }
}

async function localDefinition(frontend: Frontend, { filename, contextName, dockerfileName }: Attributes): Promise<{ text: string; ignores: string[] }> {
  const { progress } = frontend;
  const own = `${filename}.dockerignore`;
  const defining = shown(progress, `[internal] load build definition from ${filename}`, async (vertex) => {
    await using tree = await transferred(frontend, vertex, { name: dockerfileName, what: "dockerfile", follow: [filename, own], excludes: [] });
    await tree.arrived;
    return { text: await textIn(tree, filename), ignore: await textIn(tree, own) };
  });
  // On its way meanwhile: hardly a Dockerfile has one of its own.
  const ignoring = ignoreFile(frontend, "[internal] load .dockerignore", { name: contextName, what: "context" });
  await Promise.allSettled([defining, ignoring]);
  const files = await defining;
  if (files.text === undefined) throw new EngineError("invalidArgument", `failed to read dockerfile: open ${filename}: no such file or directory`);
  if (files.text === "") throw new EngineError("invalidArgument", "the Dockerfile cannot be empty");
  return { text: files.text, ignores: readIgnoreFile(files.ignore ?? (await ignoring) ?? "") };
}

export async function treeDefinition(tree: FileTree, filename: string): Promise<{ text: string; ignores: string[] }> {
  const text = await textIn(tree, filename);
  if (text === undefined) throw new EngineError("invalidArgument", `failed to read dockerfile: open ${filename}: no such file or directory`);
  return { text, ignores: [] };
}

/** What of the context instructions copy, so that nothing else is sent; nothing where it cannot be told beforehand. */
function copiedPaths({ stages }: Dockerfile): string[] {
  const paths = new Set<string>();
  for (const instruction of stages.flatMap(({ instructions }) => instructions)) {
    if (instruction.kind === "run" && instruction.mounts.some(({ text }) => !text.includes("type=") || text.includes("type=bind"))) return [];
    if ((instruction.kind !== "copy" && instruction.kind !== "add") || instruction.from !== "") continue;
    for (const source of instruction.sources) paths.add(source);
  }
  const all = [...paths].map((path) => path.replace(/^\/+/, "").replace("/./", "/"));
  return all.some((path) => path === "" || path === "." || path.includes("$") || path.includes("\\") || /^\.\/?$/.test(path)) ? [] : all;
}
