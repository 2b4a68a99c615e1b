import type { TreeEntry } from "#core/builds/tree.ts";
import { goModes } from "./packets.ts";
import type { Reader } from "./proto.ts";

/** What fsutil tells of a file (its `Stat`); undefined for sockets, which are not copied. */
export function entryOf(path: string, stat: Reader): TreeEntry | undefined {
  const mode = stat.int(2);
  const has = (bit: number): boolean => Math.floor(mode / bit) % 2 === 1;
  if (has(goModes.socket)) return undefined;
  const special = (has(goModes.setuid) ? 0o4000 : 0) | (has(goModes.setgid) ? 0o2000 : 0) | (has(goModes.sticky) ? 0o1000 : 0);
  const type = has(goModes.directory)
    ? "directory"
    : has(goModes.symlink)
      ? "symlink"
      : has(goModes.fifo)
        ? "fifo"
        : has(goModes.device)
          ? has(goModes.char)
            ? "char"
            : "block"
          : "file";
  const xattrs = stat.messages(10).map((pair) => [pair.text(1), Buffer.from(pair.bytes(2))] as const);
  return {
    path,
    type,
    mode: (mode % 0o1000) | special,
    uid: 0,
    gid: 0,
    size: type === "file" ? stat.int(5) : 0,
    mtime: Number(stat.bigint(6) / 1_000_000_000n),
    ...(type === "symlink" ? { linkName: stat.text(7) } : {}),
    ...(type === "char" || type === "block" ? { devMajor: stat.int(8), devMinor: stat.int(9) } : {}),
    ...(xattrs.length === 0 ? {} : { xattrs: new Map(xattrs) }),
  };
}
