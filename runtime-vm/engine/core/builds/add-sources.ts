import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError, isClass } from "#base/errors.ts";
import { parseHeader } from "../layers/tar-header.ts";
import type { CopyInstruction } from "../dockerfile/instructions.ts";
import type { CopySource } from "./copy.ts";
import { download } from "./download.ts";
import { checkout, resolveCommit } from "./git.ts";
import type { GitAddress } from "./git-address.ts";
import type { GitAccess } from "./git-sandbox.ts";
import type { StepWatch } from "./request.ts";
import { TarTree } from "./tar-tree.ts";
import { type FileTree, hasWildcard, nameOf, resolved, treePath, type TreeEntry } from "./tree.ts";
import type { BuildWork } from "./work.ts";

/** ADD's two extras: files from an address, and archives that are unpacked. */
export const isUrl = (source: string): boolean => /^https?:\/\//.test(source);

/** A source that is not among the build's files. */
export interface Fetched {
  /** What decides its files. */
  readonly key: unknown;
  readonly source: () => Promise<CopySource>;
}

const fetchedBytesMax = 1024 ** 3;

/** What is at an address: a file, or what the archive it is holds. */
export async function fetchSource(work: BuildWork, { checksum, unpack }: CopyInstruction, address: string): Promise<Fetched> {
  const { source, digest } = await fetchFile(address, { checksum, signal: work.request.signal });
  return {
    key: ["url", source.name, digest],
    source: async () => (unpack === true ? await unpackedBytes(work, source.bytes) : undefined) ?? source,
  };
}

/** The files of a repository; all that is asked of it beforehand is which commit is meant. */
export async function gitSource(work: BuildWork, { checksum, keepGitDir = false }: CopyInstruction, given: GitAddress, watch: StepWatch): Promise<Fetched> {
  if (checksum !== "" && given.checksum !== "" && checksum !== given.checksum) {
    throw new EngineError("invalidArgument", `checksum conflicts: ${JSON.stringify(checksum)} vs ${JSON.stringify(given.checksum)}`);
  }
  const { secret, ssh, signal } = work.request;
  const output: GitAccess["output"] = (chunk) => watch.output("stderr", chunk);
  const access: GitAccess = { backends: work.backends, secret, ssh, signal, scratch: () => work.scratch(), output };
  const address = { ...given, checksum: checksum === "" ? given.checksum : checksum };
  const commit = await resolveCommit(access, address).catch((error: unknown) => {
    throw error instanceof EngineError ? new EngineError(error.class, `failed to load cache key: ${error.message}`, { cause: error }) : error;
  });
  const { remote, subdir, submodules } = address;
  const keeps = address.keepGitDir ?? keepGitDir;
  const uri = `${remote.replace(/#.*$/, "")}#${address.ref === "" ? commit.want : address.ref}`;
  work.materials.set(uri, { uri, digest: { sha1: commit.sha } });
  return {
    key: ["git", remote, commit.sha, subdir, keeps, submodules],
    source: async () => ({ kind: "path", tree: work.use(await checkout(access, commit, { keepGitDir: keeps })), pattern: "/", ownOwner: false }),
  };
}

interface FetchedFile {
  readonly source: Extract<CopySource, { kind: "bytes" }>;
  readonly digest: string;
}

async function fetchFile(address: string, { checksum, signal }: { checksum: string; signal: AbortSignal }): Promise<FetchedFile> {
  if (checksum !== "" && !/^sha256:[0-9a-f]{64}$/.test(checksum)) throw new EngineError("invalidArgument", "invalid checksum digest length");
  const answer = await download(address, signal);
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new EngineError("invalidArgument", `invalid response status ${answer.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > fetchedBytesMax) throw new EngineError("exhausted", `${address}: larger than the ${fetchedBytesMax} bytes that ADD takes`);
  }
  const bytes = Buffer.concat(chunks);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (checksum !== "" && checksum !== `sha256:${digest}`) throw new EngineError("invalidArgument", `digest mismatch sha256:${digest}: ${checksum}`);
  const name = posix.basename(decodeURIComponent(new URL(address).pathname)) || "download";
  const modified = Date.parse(answer.headers["last-modified"] ?? "");
  return { digest, source: { kind: "bytes", name, bytes, mode: 0o600, mtime: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000) } };
}

/** The archive that a source is, unpacked; undefined where it is a file like any other. */
export async function archiveSource(work: BuildWork, tree: FileTree, pattern: string): Promise<CopySource | undefined> {
  if (hasWildcard(pattern)) return undefined;
  const entry = tree.lstat(resolved(tree, treePath(pattern)));
  return entry?.type === "file" ? await unpacked(work, tree, entry) : undefined;
}

/** The same for bytes that were fetched. */
async function unpackedBytes(work: BuildWork, bytes: Uint8Array): Promise<CopySource | undefined> {
  const path = work.scratch();
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  const entry: TreeEntry = { path: nameOf(path), type: "file", mode: 0, uid: 0, gid: 0, size: bytes.length, mtime: 0 };
  const only: FileTree = {
    lstat: () => entry,
    names: () => [],
    digest: () => Promise.resolve(""),
    read: async function* () {
      yield await Promise.resolve(Buffer.from(bytes));
    },
  };
  return await unpacked(work, only, entry);
}

async function unpacked(work: BuildWork, tree: FileTree, entry: TreeEntry): Promise<CopySource | undefined> {
  const [head] = await firstChunk(tree, entry);
  if (head === undefined || !mayBeArchive(head)) return undefined;
  const { signal } = work.request;
  const plain = work.scratch();
  try {
    await pipeline(work.backends.builder.plain(Readable.from(tree.read(entry)), signal), createWriteStream(plain), { signal });
    const file = await open(plain);
    try {
      if (!isTar((await file.read(Buffer.alloc(512), 0, 512, 0)).buffer)) return undefined;
      const spooled = await TarTree.spool(file.createReadStream({ start: 0, autoClose: false }), work.scratch(), signal);
      return { kind: "archive", tree: work.use(spooled) };
    } finally {
      await file.close();
    }
  } catch (error) {
    // What only looks like an archive is copied as it is.
    if (isClass(error, "invalidArgument") || isZlib(error)) return undefined;
    throw error;
  }
}

const isZlib = (error: unknown): boolean => error instanceof Error && "code" in error && typeof error.code === "string" && /^(Z_|ZSTD_)/.test(error.code);

async function firstChunk(tree: FileTree, entry: TreeEntry): Promise<[Buffer] | []> {
  for await (const chunk of tree.read(entry)) return [chunk];
  return [];
}

const compressed: readonly Buffer[] = [
  Buffer.from([0x1f, 0x8b]),
  Buffer.from("BZh"),
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
];

/** Told by the first 512 bytes. */
export const mayBeArchive = (head: Buffer): boolean => isTar(head) || compressed.some((magic) => head.subarray(0, magic.length).equals(magic));

function isTar(head: Buffer): boolean {
  if (head.length < 512) return false;
  try {
    return parseHeader(head.subarray(0, 512), 0).name !== "";
  } catch {
    return false;
  }
}
