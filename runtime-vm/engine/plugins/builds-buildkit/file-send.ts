import { EngineError } from "#base/errors.ts";
import { type FileTree, joined, type TreeEntry } from "#core/builds/tree.ts";
import { goModes, packet, packets } from "./packets.ts";
import { Reader, Writer } from "./proto.ts";
import type { Session, SessionCall } from "./session.ts";

const method = "/moby.filesync.v1.FileSend/DiffCopy";
const pieceBytesMax = 32 * 1024;

interface Sending {
  /** Of the export, as the client counts them. */
  readonly number: number;
  readonly signal: AbortSignal;
}

const headers = ({ number }: Sending): Record<string, string> => ({ "buildkit-attachable-exporter-id": String(number) });

/** A stream of bytes into what the client opened for it. */
export async function sendArchive(session: Session, chunks: AsyncIterable<Buffer>, sending: Sending): Promise<void> {
  if (!session.offers(method)) throw new EngineError("invalidArgument", "the client takes no output");
  await using call = session.open(method, headers(sending), sending.signal);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytesMax) await call.send(new Writer().bytes(1, chunk.subarray(at, at + pieceBytesMax)).done());
  }
  call.end();
  for await (const _ of call.messages);
}

/** A tree of files into a directory of the client, or one `below` it: names first, then the bytes of the files it asks for. */
export async function sendFiles(session: Session, tree: FileTree, sending: Sending & { readonly below: string }): Promise<void> {
  if (!session.offers(method)) throw new EngineError("invalidArgument", "the client takes no output");
  await using call = session.open(method, headers(sending), sending.signal);
  const { below } = sending;
  const top: TreeEntry[] = below === "" ? [] : [{ path: "", type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: Math.floor(Date.now() / 1000) }];
  const entries = [...top, ...walk(tree, "")];
  const naming = sendNames(call, entries, below);
  naming.catch(() => undefined);
  for await (const message of call.messages) {
    const asked = new Reader(message);
    if (asked.int(1) === packets.error) throw new EngineError("unavailable", `the client's directory: ${asked.text(4)}`);
    if (asked.int(1) === packets.finished) {
      await call.send(packet(packets.finished));
      call.end();
      continue;
    }
    const entry = entries[asked.int(3)];
    if (asked.int(1) !== packets.request || entry === undefined) throw new EngineError("invalidArgument", "the client's directory: an unknown packet");
    await sendBytes(call, tree, entry, asked.int(3));
  }
  await naming;
}

async function sendNames(call: SessionCall, entries: readonly TreeEntry[], below: string): Promise<void> {
  for (const entry of entries) await call.send(new Writer().message(2, statOf({ ...entry, path: joined(below, entry.path) })).done());
  await call.send(packet(packets.stat));
}

async function sendBytes(call: SessionCall, tree: FileTree, entry: TreeEntry, number: number): Promise<void> {
  for await (const chunk of tree.read(entry)) {
    for (let at = 0; at < chunk.length; at += pieceBytesMax) {
      const piece = chunk.subarray(at, at + pieceBytesMax);
      await call.send(new Writer().int(1, packets.data).int(3, number).bytes(4, piece).done());
    }
  }
  await call.send(new Writer().int(1, packets.data).int(3, number).done());
}

/** In the order that the receiver checks: a directory before its names, names by their bytes. Devices stay here. */
function* walk(tree: FileTree, path: string): Generator<TreeEntry> {
  for (const name of tree.names(path)) {
    const entry = tree.lstat(joined(path, name));
    if (entry === undefined || entry.type === "char" || entry.type === "block") continue;
    yield entry;
    if (entry.type === "directory") yield* walk(tree, entry.path);
  }
}

function statOf({ path, type, mode, uid, gid, size, mtime, linkName }: TreeEntry): Writer {
  const kind = type === "directory" ? goModes.directory : type === "symlink" ? goModes.symlink : type === "fifo" ? goModes.fifo : 0;
  const special = ((mode & 0o4000) !== 0 ? goModes.setuid : 0) + ((mode & 0o2000) !== 0 ? goModes.setgid : 0) + ((mode & 0o1000) !== 0 ? goModes.sticky : 0);
  return new Writer()
    .text(1, path)
    .int(2, kind + special + (mode & 0o777))
    .int(3, uid)
    .int(4, gid)
    .int(5, size)
    .int(6, BigInt(mtime) * 1_000_000_000n)
    .text(7, linkName ?? "");
}
