import { Readable } from "node:stream";
import { EngineError, messageOf } from "#base/errors.ts";
import { mayBeArchive } from "#core/builds/add-sources.ts";
import { beginningOf, download } from "#core/builds/download.ts";
import { checkout, GitSubdirMissing, resolveCommit } from "#core/builds/git.ts";
import { type GitAddress, gitAddress } from "#core/builds/git-address.ts";
import type { GitAccess } from "#core/builds/git-sandbox.ts";
import { TarTree } from "#core/builds/tar-tree.ts";
import type { FileTree } from "#core/builds/tree.ts";
import type { BuildMaterial } from "#core/builds/work.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { agentSocket, secret, uploaded } from "./client.ts";
import { definitionBytesMax, type Frontend, scratch, shown } from "./frontend-work.ts";

export interface RemoteContext {
  readonly tree: FileTree;
  /** What it came from, where that can be told. */
  readonly material?: BuildMaterial;
  /** Of the Dockerfile, where an address has nothing else. */
  readonly filename?: string;
}

/** The address of a context that came with the request itself. */
export const bodyContext = "request:body";
/** What BuildKit calls a file that is fetched as a context. */
const fileName = "context";

/** A context that the client does not have itself: a repository, an archive at an address, or one that the client uploads. */
export async function remoteContext(frontend: Frontend, address: string, { keepGitDir }: { keepGitDir: boolean }): Promise<RemoteContext> {
  const repository = gitAddress(address);
  if (repository !== undefined) return await gitContext(frontend, address, repository, keepGitDir);
  const { builds, progress, signal, undo } = frontend;
  return await shown(progress, `[internal] load remote build context`, async () => {
    const { head, whole } = await beginningOf(await opened(frontend, address));
    if (!mayBeArchive(head)) {
      const alone = packTar([{ name: fileName, body: await bytesOf(whole) }]);
      return { tree: undo.use(await TarTree.spool(Readable.from([alone]), scratch(builds), signal)), filename: fileName };
    }
    const spooled = await TarTree.spool(builds.backends.builder.plain(whole, signal), scratch(builds), signal);
    return { tree: undo.use(spooled) };
  });
}

async function opened({ session, signal, body }: Frontend, address: string): Promise<Readable> {
  if (address === bodyContext && body !== undefined) return await body();
  const own = /^https?:\/\/buildkit-session\/(.*)$/.exec(address)?.[1];
  return own === undefined ? await fetched(address, signal) : Readable.from(uploaded(session, `/${own}`, signal));
}

async function bytesOf(from: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > definitionBytesMax)
      throw new EngineError("invalidArgument", `the context is no archive, and for a Dockerfile it is too large: ${definitionBytesMax} bytes are accepted`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function fetched(address: string, signal: AbortSignal): Promise<Readable> {
  if (!/^https?:\/\//.test(address)) throw new EngineError("invalidArgument", `${address}: neither a repository of git nor an address of http or https`);
  const answer = await download(address, signal);
  if (answer.statusCode === 200) return answer;
  answer.destroy();
  throw new EngineError("unavailable", `failed to read downloaded context: failed to load cache key: invalid response status ${answer.statusCode}`);
}

async function gitContext(frontend: Frontend, given: string, address: GitAddress, keepGitDir: boolean): Promise<RemoteContext> {
  const { builds, session, progress, undo } = frontend;
  return await shown(progress, `[internal] load git source ${given}`, (vertex) =>
    builds.during(frontend.signal, async (signal) => {
      const access: GitAccess = {
        backends: builds.backends,
        secret: (id) => secret(session, id, signal),
        ssh: (id) => agentSocket(session, id, { path: scratch(builds), signal }),
        scratch: () => scratch(builds),
        output: (chunk) => vertex.log(2, chunk),
        signal,
      };
      try {
        const commit = await resolveCommit(access, address);
        const tree = undo.use(await checkout(access, commit, { keepGitDir: address.keepGitDir ?? keepGitDir }));
        return { tree, material: { uri: given, digest: { sha1: commit.sha } } };
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        const cached = error instanceof GitSubdirMissing ? "" : "failed to load cache key: ";
        throw new EngineError(error.class, `failed to read dockerfile: ${cached}${messageOf(error)}`, { cause: error });
      }
    }),
  );
}
