import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { EngineError, type ErrorClass, messageOf } from "#base/errors.ts";
import { packTar } from "../layers/tar-writer.ts";
import { mayBeArchive } from "./add-sources.ts";
import type { BuildBackends } from "./backends.ts";
import type { Builds } from "./builds.ts";
import { planCopy } from "./copy.ts";
import { beginningOf, download } from "./download.ts";
import { checkout, GitFailed, GitRefMissing, GitSubdirMissing, resolveCommit } from "./git.ts";
import { type GitAddress, gitAddress } from "./git-address.ts";
import type { GitAccess } from "./git-sandbox.ts";
import { layerTar } from "./layer-tar.ts";
import type { FileTree } from "./tree.ts";

/** `remote` of the classic builder, as a tar: a repository, an archive, or a Dockerfile alone. The undo stack has what must stay until it was read. */
export async function remoteTar(builds: Builds, remote: string, { signal, undo }: { signal: AbortSignal; undo: AsyncDisposableStack }): Promise<Readable> {
  const address = gitAddress(remote, "classic");
  if (address !== undefined) return treeTar(undo.use(await builds.during(signal, (ending) => repository(builds.backends, address, ending))));
  if (!/^https?:\/\//.test(remote)) throw new EngineError("invalidArgument", `remoteURL (${remote}) could not be recognized as URL`);
  const answer = await download(remote, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new EngineError("internal", `error downloading remote context ${remote}: ${messageOf(error)}`, { cause: error });
  });
  if (answer.statusCode !== 200) {
    const status = `${answer.statusCode} ${answer.statusMessage}: ${await beginning(answer)}`;
    const cls = failures[answer.statusCode ?? 0] ?? "internal";
    throw new EngineError(cls, `error downloading remote context ${remote}: failed to GET ${remote} with status ${status}`);
  }
  const { head, whole } = await beginningOf(answer);
  if (!isText(answer.headers["content-type"] ?? "", head)) return whole;
  return Readable.from([packTar([{ name: "Dockerfile", body: await buffer(whole) }])]);
}

/** As the server says; many know no type for files without an extension. */
function isText(type: string, head: Buffer): boolean {
  if (type !== "" && type !== "application/octet-stream") return type.startsWith("text/plain");
  return !mayBeArchive(head) && !head.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte));
}

const failures: Readonly<Record<number, ErrorClass>> = { 400: "invalidArgument", 401: "unauthorized", 403: "forbidden", 404: "notFound" };
const reasonBytesMax = 4096;

/** What the server says of it. */
async function beginning(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= reasonBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, reasonBytesMax).toString("utf8").trim();
}

/** With its `.git`, which the classic builder leaves where it is. */
async function repository(backends: BuildBackends, address: GitAddress, signal: AbortSignal): Promise<FileTree & AsyncDisposable> {
  const nothing = (): Promise<undefined> => Promise.resolve(undefined);
  const scratch = (): string => join(backends.paths.buildWork, `git-${randomUUID()}`);
  const access: GitAccess = { backends, secret: nothing, ssh: nothing, scratch, output: () => undefined, signal };
  try {
    return await checkout(access, await resolveCommit(access, address), { keepGitDir: true });
  } catch (error) {
    throw classicError(error, address);
  }
}

/** In the classic builder's words. */
function classicError(error: unknown, { subdir }: GitAddress): unknown {
  if (error instanceof GitRefMissing) return failed(`error fetching: fatal: couldn't find remote ref ${error.ref}\n: exit status 128`, error);
  if (error instanceof GitFailed) return failed(`error fetching: ${error.stderr}: exit status ${error.exitCode}`, error);
  return error instanceof GitSubdirMissing ? failed(`stat ${subdir}: no such file or directory`, error) : error;
}

const failed = (message: string, cause: Error): EngineError => new EngineError("internal", message, { cause });

function treeTar(tree: FileTree): Readable {
  const whole = { sources: [{ kind: "archive", tree }], destination: "/", root: nothing, owner: undefined, chmod: undefined } as const;
  return Readable.from(layerTar(planCopy({ ...whole, parents: false, excludes: [], now: 0 })));
}

/** A root without files. */
const nothing: FileTree = {
  lstat: (path) => (path === "" ? { path, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } : undefined),
  names: () => [],
  digest: () => Promise.resolve(""),
  async *read() {},
};
