import { workerData } from "node:worker_threads";
import { Deeds } from "./deeds.ts";
import { errno, O, O_DIRECTORY, sys } from "./libc.ts";
import { Nodes } from "./nodes.ts";
import { headerBytes, initBytes, op, readU64, requestBytesMax, writeInit } from "./protocol.ts";
import { Replay } from "./replay.ts";
import { ShareServer } from "./server.ts";

/** One share: `device` is /dev/fuse as it was mounted, `folder` where the host's files are. */
export interface ShareJob {
  readonly device: number;
  readonly folder: string;
  readonly keepsOwners: boolean;
  readonly teller: number;
  readonly flag: Int32Array;
  readonly deeds: Int32Array;
}

/** Serves until the share is unmounted. The thread does nothing else: it waits in the kernel. */
function serve({ device, folder, keepsOwners, teller, flag, deeds }: ShareJob): void {
  const root = sys.open(folder, O.PATH | O_DIRECTORY);
  if (root < 0) throw new Error(`the shared folder ${folder} cannot be opened: errno ${-root}`);
  const nodes = new Nodes(root, keepsOwners);
  const server = new ShareServer(device, nodes, new Replay(nodes, teller, flag, new Deeds(deeds)));
  const request = Buffer.alloc(requestBytesMax);
  const reply = Buffer.alloc(headerBytes.reply + requestBytesMax);
  const out = reply.subarray(headerBytes.reply);
  for (;;) {
    const length = sys.read(device, request, request.length);
    if (length === -(errno["ENODEV"] ?? 19)) return;
    // A request that was given up before it was read.
    if (length < headerBytes.request) continue;
    const body = request.subarray(headerBytes.request, length);
    const opcode = request.readUInt32LE(4);
    if (opcode === op.INIT && !writeInit(body, out)) throw new Error("this kernel cannot read and write files of a share by itself (FUSE passthrough)");
    const answer = opcode === op.INIT ? initBytes : answered(server, opcode, request, body, out);
    if (answer === undefined) continue;
    const bytes = headerBytes.reply + Math.max(0, answer);
    reply.writeUInt32LE(bytes, 0);
    reply.writeInt32LE(Math.min(0, answer), 4);
    request.copy(reply, 8, 8, 16);
    sys.write(device, reply, bytes);
  }
}

function answered(server: ShareServer, opcode: number, request: Buffer, body: Buffer, out: Buffer): number | undefined {
  const [uid, gid, pid] = [request.readUInt32LE(24), request.readUInt32LE(28), request.readUInt32LE(32)];
  try {
    return server.handle(opcode, { id: readU64(request, 16), body, uid, gid, pid }, out);
  } catch (error) {
    console.error(`shares: request ${opcode}: ${String(error)}`);
    return -(errno["EIO"] ?? 5);
  }
}

serve(workerData as ShareJob);
