import { posix } from "node:path";
import { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { heredocText } from "../dockerfile/heredoc.ts";
import type { CopyInstruction } from "../dockerfile/instructions.ts";
import type { BuiltLayer } from "../images/building.ts";
import { archiveSource, type Fetched, fetchSource, gitSource, isUrl } from "./add-sources.ts";
import { cacheKey, epochKey } from "./cache.ts";
import { absoluteDestination, type CopySource, planCopy, SourceMissing } from "./copy.ts";
import { gitAddress } from "./git-address.ts";
import { layerTar } from "./layer-tar.ts";
import { madeMode, parseMode } from "./mode.ts";
import { type Owner, ownerOf } from "./owner.ts";
import type { StepWatch } from "./request.ts";
import { expanded } from "./scope.ts";
import { contentKey, type Source } from "./sources.ts";
import type { StageState } from "./state.ts";
import { matching, type FileTree } from "./tree.ts";
import type { BuildWork } from "./work.ts";

export interface CopyStep {
  readonly instruction: CopyInstruction;
  readonly state: StageState;
  readonly stage: string;
  /** What it copies from; undefined where only heredocs and addresses are. */
  readonly source: Source | undefined;
  readonly escape: string;
  readonly watch: StepWatch;
  /** The history's line, from a summary of what is copied for the classic one: `file:` or `dir:` or `multi:` and a hash. */
  readonly lineOf: (summary: string) => string;
}

export interface Copied {
  readonly layer: BuiltLayer | undefined;
  readonly created: string;
  /** What the history tells. */
  readonly line: string;
}

/** COPY and ADD: the layer's tar comes straight from where the files lie. */
export async function copyStep(work: BuildWork, { instruction, state, stage, source, escape, watch, lineOf }: CopyStep): Promise<Copied> {
  const variables = state.args.variables(state.config.Env ?? []);
  const word = (text: string): string => expanded(text, variables, escape);
  const destination = absoluteDestination(state.config.WorkingDir ?? "", word(instruction.destination));
  const [chown, chmod] = [word(instruction.chown), word(instruction.chmod)];
  if (state.flavor === "classic") refuseInClassic(instruction);
  const change = chmod === "" ? undefined : parseMode(chmod);
  const patterns = instruction.sources.map(word);
  const excludes = instruction.excludes.map(word);
  const files = instruction.files.map((file) => {
    const text = heredocText(file);
    const bytes = Buffer.from(file.expand ? expanded(text, variables, escape, { raw: true }) : text);
    return { kind: "bytes" as const, name: posix.basename(file.name), bytes, mode: 0o644, mtime: work.now };
  });
  const fetching = instruction.kind === "add" ? patterns.map((pattern) => fetchedSource(work, instruction, pattern, { state, watch })) : [];
  const fetched = await Promise.all(fetching.filter((one) => one !== undefined));
  const paths = patterns.filter((_, i) => fetching[i] === undefined);
  if (instruction.checksum !== "" && paths.length > 0) throw new EngineError("invalidArgument", "checksum requires HTTP(S) or Git sources");
  const keys = [
    ...files.map((file) => ["inline", file.name, cacheKey(file.bytes.toString("base64"))]),
    ...fetched.map((one) => one.key),
    paths.length > 0 && source !== undefined ? await sourceKey(source, paths) : [],
  ];
  const { kind, parents, unpack } = instruction;
  // BuildKit links nothing whose mode it changes.
  const link = instruction.link && chmod === "";
  const key = cacheKey("copy", state.diffIds, kind, destination, chown, chmod, excludes, link, parents, unpack, keys, ...epochKey(work));
  const line = lineOf(state.flavor === "classic" ? await summaryOf(source, paths, keys) : "");
  const made = await work.once({ key, stage, description: instruction.node.original, watch, told: { state, line } }, async () => {
    const tree = paths.length > 0 && source !== undefined ? await source.tree() : undefined;
    const sources = [
      ...(tree === undefined ? [] : await pathSources(work, instruction, { tree, paths, ownOwner: source?.ownOwner === true })),
      ...(await Promise.all(fetched.map((one) => one.source()))),
      ...files,
    ];
    checkMany(state, instruction, sources, { tree, paths, destination });
    const root = await work.roots.tree(state.diffIds);
    // The classic builder leaves the files of an archive to whom they belong there.
    const asInArchive = state.flavor === "classic" && sources.every(({ kind: one }) => one === "archive");
    const owner = chown === "" || asInArchive ? undefined : await chowned(root, chown, state);
    const plan = { sources, destination, root: link ? nothing : root, owner, chmod: change, madeMode: madeMode(chmod), parents, excludes, now: work.now };
    const items = planCopy(plan);
    if (items.length === 0) return undefined;
    const { epoch, signal } = work.request;
    return await work.backends.builder.writeLayer(layerTar(items, epoch === undefined ? undefined : { latest: epoch }), signal);
  });
  return { layer: made.layer, created: made.created, line };
}

/** With `--link` a layer knows nothing of those below: every directory in it is made anew. */
const nothing: FileTree = { lstat: () => undefined, names: () => [], read: () => Readable.from([]), digest: () => Promise.resolve("") };

function refuseInClassic({ chmod, excludes, link, parents, checksum }: CopyInstruction): void {
  const given = Object.entries({ chmod: chmod !== "", exclude: excludes.length > 0, link, parents, checksum: checksum !== "" }).find(([, is]) => is)?.[0];
  if (given === undefined) return;
  throw new EngineError(
    "invalidArgument",
    `the --${given} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled`,
  );
}

/** Undefined where the source is a path. */
function fetchedSource(
  work: BuildWork,
  instruction: CopyInstruction,
  source: string,
  { state, watch }: Pick<CopyStep, "state" | "watch">,
): Promise<Fetched> | undefined {
  const address = state.flavor === "classic" ? undefined : gitAddress(source);
  if (address !== undefined) return gitSource(work, instruction, address, watch);
  return isUrl(source) ? fetchSource(work, instruction, source) : undefined;
}

async function sourceKey(source: Source, paths: readonly string[]): Promise<unknown> {
  return source.ownOwner ? [await source.key(""), paths] : await contentKey(await source.tree(), paths);
}

async function pathSources(
  work: BuildWork,
  { kind, unpack }: CopyInstruction,
  { tree, paths, ownOwner }: { tree: FileTree; paths: readonly string[]; ownOwner: boolean },
): Promise<CopySource[]> {
  const sources: CopySource[] = [];
  for (const pattern of paths) {
    const archive = kind === "add" && unpack !== false ? await archiveSource(work, tree, pattern) : undefined;
    sources.push(archive ?? { kind: "path", tree, pattern, ownOwner });
  }
  return sources;
}

interface Places {
  readonly tree: FileTree | undefined;
  readonly paths: readonly string[];
  readonly destination: string;
}

/** The classic builder wants it said that several files go into a directory. */
function checkMany(state: StageState, { node }: CopyInstruction, sources: readonly CopySource[], { tree, paths, destination }: Places): void {
  if (state.flavor !== "classic") return;
  const missing = tree === undefined ? undefined : paths.find((path) => matching(tree, path).next().done === true);
  if (missing !== undefined) throw new SourceMissing(missing);
  const count = tree === undefined ? sources.length : paths.reduce((sum, path) => sum + [...matching(tree, path)].length, 0);
  if (count > 1 && !destination.endsWith("/")) {
    throw new EngineError("invalidArgument", `When using ${node.name} with more than one source file, the destination must be a directory and end with a /`);
  }
}

async function chowned(root: FileTree, text: string, { flavor }: StageState): Promise<Owner> {
  const { uid, gid } = await ownerOf(root, text);
  const [user, group] = text.split(":");
  if (flavor === "classic" && uid === undefined) {
    throw new EngineError("invalidArgument", `unable to convert uid/gid chown string to host mapping: can't find uid for user ${user}: no such user: ${user}`);
  }
  if (flavor === "classic" && gid === undefined) {
    throw new EngineError(
      "invalidArgument",
      `unable to convert uid/gid chown string to host mapping: can't find gid for group ${group}: no such group: ${group}`,
    );
  }
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

async function summaryOf(source: Source | undefined, paths: readonly string[], keys: readonly unknown[]): Promise<string> {
  const hash = cacheKey(keys);
  const tree = await source?.tree();
  const found = tree === undefined ? [] : paths.flatMap((path) => [...matching(tree, path)]);
  if (found.length !== 1) return `multi:${hash}`;
  return `${tree?.lstat(found[0] ?? "")?.type === "directory" ? "dir" : "file"}:${hash}`;
}
