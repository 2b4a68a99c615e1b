import { createHash, type Hash } from "node:crypto";
import { EngineError } from "#base/errors.ts";
import { type FileTree, nameOf, parentOf, treePath, type TreeEntry } from "#core/builds/tree.ts";
import { entryOf } from "./file-stat.ts";
import { packet, packets } from "./packets.ts";
import { Reader } from "./proto.ts";
import type { Session, SessionCall } from "./session.ts";
import { type Piece, Spool } from "./spool.ts";

export interface SyncRequest {
  /** `context`, `dockerfile`, or the name of another directory. */
  readonly directory: string;
  readonly excludes: readonly string[];
  /** Only these, links followed; empty: everything. */
  readonly follow: readonly string[];
  /** Where the bytes are kept that are too many for memory; removed with the tree. */
  readonly spool: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

/** Requests that are sent at once. */
const askedMax = 256;

interface Received {
  readonly entry: TreeEntry;
  readonly number: number;
  readonly pieces: Piece[];
  readonly hash: Hash;
  readonly whole: PromiseWithResolvers<string>;
}

const method = "/moby.filesync.v1.FileSync/DiffCopy";

/**
 * The client's directory by fsutil's protocol: it tells what is there, a packet a name; then it sends the bytes of the files that are
 * asked for by their numbers, in pieces and several at a time. They are kept as they come, in memory or in one file. Everything is on
 * its way when this resolves.
 */
export async function syncFiles(session: Session, request: SyncRequest): Promise<SyncedTree> {
  if (!session.offers(method)) throw new EngineError("invalidArgument", "no local sources enabled");
  const call = session.open(method, headersOf(request), request.signal);
  const tree = new SyncedTree(call, request);
  try {
    await tree.listed();
    return tree;
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

function headersOf({ directory, excludes, follow }: SyncRequest): Record<string, string | string[]> {
  const lists = { "dir-name": [directory], "exclude-patterns": [...excludes], followpaths: [...follow] };
  const headers: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(lists)) {
    if (values.length === 0) continue;
    const plain = values.every((value) => /^[\x20-\x7e]*$/.test(value));
    headers[name] = plain ? values : values.map(encodeURIComponent);
    if (!plain) headers[`${name}-encoded`] = "1";
  }
  return headers;
}

export class SyncedTree implements FileTree, AsyncDisposable {
  readonly #call: SessionCall;
  readonly #request: SyncRequest;
  readonly #spool: Spool;
  readonly #entries = new Map<string, TreeEntry>();
  readonly #children = new Map<string, Set<string>>();
  readonly #received = new Map<string, Received>();
  readonly #byNumber = new Map<number, Received>();
  readonly #links = new Map<string, string>();
  readonly #running: Promise<void>;
  readonly #list = Promise.withResolvers<void>();
  readonly #arrived = Promise.withResolvers<void>();
  #numbers = 0;
  #left = 0;

  constructor(call: SessionCall, request: SyncRequest) {
    this.#call = call;
    this.#request = request;
    this.#spool = new Spool(request.spool);
    this.#put({ path: "", type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 });
    this.#running = this.#receive();
    this.#list.promise.catch(() => undefined);
    this.#arrived.promise.catch(() => undefined);
    this.#running.catch((error: unknown) => {
      this.#list.reject(error);
      this.#arrived.reject(error);
      for (const { whole } of this.#received.values()) whole.reject(error);
    });
  }

  /** All names are known. */
  async listed(): Promise<void> {
    await this.#list.promise;
  }

  /** All bytes are here. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  lstat(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
  }

  names(path: string): readonly string[] {
    return [...(this.#children.get(path) ?? [])].toSorted();
  }

  async digest(entry: TreeEntry): Promise<string> {
    return await this.#bytesOf(entry).whole.promise;
  }

  async *read(entry: TreeEntry): AsyncGenerator<Buffer> {
    const { pieces, whole } = this.#bytesOf(entry);
    await whole.promise;
    for (const piece of pieces) yield await this.#spool.read(piece);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#call[Symbol.asyncDispose]();
    await this.#running.catch(() => undefined);
    await this.#spool[Symbol.asyncDispose]();
  }

  #bytesOf(entry: TreeEntry): Received {
    let path = entry.path;
    for (let link = this.#links.get(path); link !== undefined; link = this.#links.get(path)) path = link;
    const received = this.#received.get(path);
    if (received === undefined) throw new EngineError("notFound", `${entry.path}: not in the client's directory`);
    return received;
  }

  async #receive(): Promise<void> {
    let finished = false;
    for await (const message of this.#call.messages) {
      const packet = new Reader(message);
      switch (packet.int(1)) {
        case packets.stat:
          if (packet.has(2)) this.#stat(packet.message(2));
          else await this.#allListed();
          break;
        case packets.data:
          await this.#data(packet.int(3), packet.bytes(4));
          break;
        case packets.finished:
          finished = true;
          this.#call.end();
          break;
        case packets.error:
          throw new EngineError("unavailable", `the client's files: ${packet.text(4)}`);
        default:
          throw new EngineError("invalidArgument", "the client's files: an unknown packet");
      }
    }
    if (!finished) throw new EngineError("unavailable", "the client left before its files were here");
  }

  #stat(stat: Reader): void {
    const path = treePath(stat.text(1));
    const number = this.#numbers;
    this.#numbers += 1;
    const entry = entryOf(path, stat);
    const linked = stat.text(7);
    if (entry === undefined) return;
    if (entry.type === "file" && linked !== "") {
      const target = treePath(linked);
      this.#links.set(path, target);
      return this.#put({ ...entry, size: this.#entries.get(target)?.size ?? 0 });
    }
    this.#put(entry);
    if (entry.type !== "file") return;
    const received: Received = { entry, number, pieces: [], hash: createHash("sha256"), whole: Promise.withResolvers() };
    received.whole.promise.catch(() => undefined);
    this.#received.set(path, received);
    this.#byNumber.set(number, received);
  }

  async #allListed(): Promise<void> {
    this.#list.resolve();
    this.#left = this.#byNumber.size;
    if (this.#left === 0) return await this.#allHere();
    // Asked for while answers come: both sides would wait for each other otherwise.
    void this.#ask().catch(() => undefined);
  }

  async #ask(): Promise<void> {
    const numbers = [...this.#byNumber.keys()];
    for (let at = 0; at < numbers.length; at += askedMax) {
      await this.#call.send(...numbers.slice(at, at + askedMax).map((number) => packet(packets.request, number)));
    }
  }

  async #data(number: number, bytes: Buffer): Promise<void> {
    const received = this.#byNumber.get(number);
    if (received === undefined) throw new EngineError("invalidArgument", `the client's files: bytes of number ${number}, which was not asked for`);
    if (bytes.length === 0) return await this.#whole(received);
    received.hash.update(bytes);
    received.pieces.push(await this.#spool.add(bytes));
    this.#request.onProgress?.(this.#spool.bytes);
  }

  async #whole(received: Received): Promise<void> {
    const size = received.pieces.reduce((sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.bytes), 0);
    // It may have grown or shrunk since it was listed: what came is what counts.
    if (size !== received.entry.size) this.#put({ ...received.entry, size });
    received.whole.resolve(received.hash.digest("hex"));
    this.#left -= 1;
    if (this.#left === 0) await this.#allHere();
  }

  async #allHere(): Promise<void> {
    this.#arrived.resolve();
    await this.#call.send(packet(packets.finished));
  }

  #put(entry: TreeEntry): void {
    this.#entries.set(entry.path, entry);
    if (entry.path === "") return;
    const parent = parentOf(entry.path);
    this.#children.set(parent, (this.#children.get(parent) ?? new Set()).add(nameOf(entry.path)));
    if (!this.#entries.has(parent)) this.#put({ path: parent, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 });
  }
}
