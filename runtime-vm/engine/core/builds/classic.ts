import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { DockerfileError } from "../dockerfile/errors.ts";
import { IgnorePatterns, readIgnoreFile } from "#api/dockerignore.ts";
import type { Dockerfile, InstructionOf } from "../dockerfile/instructions.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { readSource, type Source } from "../dockerfile/source.ts";
import type { Builds } from "./builds.ts";
import { both, type ClassicRecord, type ClassicRecords } from "./classic-records.ts";
import { type ClassicMessage, ClassicVoice, unwrapped } from "./classic-voice.ts";
import { Outlet } from "./outlet.ts";
import type { BuildRequest } from "./request.ts";
import { TarTree } from "./tar-tree.ts";
import { treePath } from "./tree.ts";

/** What `POST /build` is asked for, beside its context. */
export interface ClassicOptions extends Pick<BuildRequest, "target" | "args" | "pull" | "platform" | "hostConfig" | "auth" | "cacheFrom"> {
  /** Path in the context. */
  readonly dockerfile: string;
  /** References with tags. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly quiet: boolean;
  readonly removes: boolean;
  readonly squash: boolean;
}

const dockerfileBytesMax = 4 * 1024 * 1024;

/**
 * The classic builder's conversation. Rejects where dockerd answers with a status; whatever fails once the first step was told is a message.
 * When the reader leaves, or the signal aborts, what runs is ended.
 */
export async function classicBuild(
  builds: Builds,
  options: ClassicOptions,
  { context, scratch, records, signal }: { context: Readable; scratch: string; records: ClassicRecords; signal: AbortSignal },
): Promise<AsyncIterable<ClassicMessage>> {
  const { builder } = builds.backends;
  const tree = await TarTree.spool(builder.plain(context, signal), scratch, signal);
  try {
    const { text, ...read } = await readDockerfile(tree, options);
    return conversation(builds, { ...read, options, tree, signal }, records.begin(options, text));
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error instanceof DockerfileError && error.kind === "syntax" && error.message !== "no build stage in current context"
      ? new EngineError("invalidArgument", `failed to parse Dockerfile: ${error.message}`, { cause: error })
      : error;
  }
}

async function readDockerfile(tree: TarTree, options: ClassicOptions): Promise<{ text: string; source: Source; dockerfile: Dockerfile }> {
  const path = treePath(options.dockerfile === "" ? "Dockerfile" : options.dockerfile);
  const text = await textOf(tree, path);
  if (text === undefined) throw new EngineError("internal", `Cannot locate specified Dockerfile: ${path}`);
  if (text === "") throw new EngineError("invalidArgument", `the Dockerfile (${path}) cannot be empty`);
  const ignored = new IgnorePatterns(readIgnoreFile((await textOf(tree, ".dockerignore")) ?? ""));
  for (const file of [path, ".dockerignore"]) if (ignored.ignores(file)) tree.remove(file);
  const source = readSource(text);
  const dockerfile = parseDockerfile(source);
  if (dockerfile.stages.length === 0) throw new EngineError("invalidArgument", "dockerfile contains no stages to build");
  return { text, source, dockerfile: withLabels(dockerfile, options) };
}

async function textOf(tree: TarTree, path: string): Promise<string | undefined> {
  const entry = tree.lstat(path);
  if (entry?.type !== "file") return undefined;
  if (entry.size > dockerfileBytesMax) throw new EngineError("invalidArgument", `${path} is larger than the ${dockerfileBytesMax} bytes accepted`);
  const chunks: Buffer[] = [];
  for await (const chunk of tree.read(entry)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Each `--label` is one more instruction of the target. */
function withLabels(dockerfile: Dockerfile, { labels, target }: ClassicOptions): Dockerfile {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return dockerfile;
  const literal = (word: string): string => `'${word.replaceAll("'", `'"'"'`)}'`;
  const made = pairs.map(([key, value]): InstructionOf<"label"> => {
    const original = `LABEL ${key}=${value}`;
    const node = { name: "LABEL", written: "LABEL", flags: [], rest: "", original, lines: { start: 0, end: 0 }, heredocs: [], comments: [] };
    return { kind: "label", node, pairs: [{ key: literal(key), value: literal(value) }] };
  });
  const named = dockerfile.stages.findIndex(({ from }) => target !== "" && from.name === target.toLowerCase());
  const index = named >= 0 ? named : /^\d+$/.test(target) ? Number(target) : dockerfile.stages.length - 1;
  const stages = dockerfile.stages.map((stage, i) => (i === index ? { ...stage, instructions: [...stage.instructions, ...made] } : stage));
  return { ...dockerfile, stages };
}

interface Conversation {
  readonly options: ClassicOptions;
  readonly source: Source;
  readonly dockerfile: Dockerfile;
  readonly tree: TarTree;
  readonly signal: AbortSignal;
}

async function conversation(
  builds: Builds,
  { options, source, dockerfile, tree, signal }: Conversation,
  record: ClassicRecord,
): Promise<AsyncIterable<ClassicMessage>> {
  const outlet = new Outlet<ClassicMessage>();
  const left = new AbortController();
  const voice = new ClassicVoice(outlet, options);
  const request: BuildRequest = {
    ...options,
    flavor: "classic",
    source,
    dockerfile,
    labels: {},
    ignoresCache: () => options.noCache,
    context: () => Promise.resolve(tree),
    named: new Map(),
    secret: () => Promise.resolve(undefined),
    ssh: () => Promise.resolve(undefined),
    epoch: undefined,
    observer: both(voice, record.observer),
    signal: AbortSignal.any([signal, left.signal]),
  };
  const running = builds
    .build(request, async (result) => record.succeeded(await voice.result(result, options.names)))
    .catch((error: unknown) => {
      record.failed(request.signal.aborted ? new EngineError("cancelled", "the build was cancelled") : error);
      if (!voice.hasSpoken) throw unwrapped(error);
      voice.failed(error);
    })
    .finally(() => tree[Symbol.asyncDispose]());
  running.then(
    () => outlet.end(),
    (error: unknown) => outlet.end(error),
  );
  // Until something was said, a failure is an answer with a status.
  await Promise.race([voice.first, running]);
  return (async function* () {
    try {
      yield* outlet;
    } finally {
      left.abort(new EngineError("cancelled", "the client left the build"));
      await running.catch(() => undefined);
    }
  })();
}
