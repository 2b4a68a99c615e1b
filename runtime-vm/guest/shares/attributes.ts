import { nameOf, pathOf, sys } from "./libc.ts";
import { textOf } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import { ownerAttribute } from "./ownership.ts";
import { op, writeU64 } from "./protocol.ts";
import type { Replay } from "./replay.ts";
import { type Handler, no } from "./request.ts";

/** Extended attributes of files. Those that a share keeps for itself nobody in the guest sees or sets. */
export function attributeHandlers(nodes: Nodes, replay: Replay): readonly (readonly [number, Handler])[] {
  const get: Handler = ({ node, body, pid }, out) => {
    const name = body.subarray(8);
    // Asked for at each start of a program and first write; files of one ordinary user have none.
    if (nodes.keepsOwners && name.equals(capability)) return no("ENODATA");
    const asked = replay.isBy(pid) ? replay.ask(node, textOf(name)) : undefined;
    if (asked !== undefined) return asked.copy(out);
    if (isOurs(name)) return no("ENODATA");
    return sized(body.readUInt32LE(0), out, (into, size) => sys.getxattr(pathOf(node.fd), name, into, size));
  };
  return [
    [op.SETXATTR, set],
    [op.GETXATTR, get],
    [op.LISTXATTR, list],
    [op.REMOVEXATTR, ({ node, body }) => (isOurs(body) ? no("EPERM") : sys.removexattr(pathOf(node.fd), body))],
  ];
}

const capability = nameOf("security.capability");

const set: Handler = ({ node, body }) => {
  const name = body.subarray(8);
  if (isOurs(name)) return no("EPERM");
  const from = name.indexOf(0) + 1;
  const value = name.subarray(from, from + body.readUInt32LE(0));
  return sys.setxattr(pathOf(node.fd), name, value, value.length, body.readUInt32LE(4));
};

const list: Handler = ({ node, body }, out) => {
  const size = body.readUInt32LE(0);
  const length = sys.listxattr(pathOf(node.fd), out, out.length);
  if (length < 0) return length;
  const names = out.toString("latin1", 0, length).split("\0").slice(0, -1);
  const text = Buffer.from(
    names
      .filter((name) => name !== ownerAttribute)
      .map((name) => `${name}\0`)
      .join(""),
    "latin1",
  );
  if (size !== 0 && text.length > size) return no("ERANGE");
  return sized(size, out, (into) => (size === 0 ? text.length : text.copy(into)));
};

/** Either how long a value is, or the value. */
function sized(size: number, out: Buffer, read: (into: Buffer, size: number) => number): number {
  const length = read(out, Math.min(size, out.length));
  if (size !== 0 || length < 0) return length;
  writeU64(out, length, 0);
  return 8;
}

const isOurs = (name: Buffer): boolean => textOf(name).startsWith("user.slipway.");
