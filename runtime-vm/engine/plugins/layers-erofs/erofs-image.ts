import { kindOf, kinds } from "#core/layers/layer-entry.ts";
import { isDirectory, type LayerNode } from "./layer-node.ts";

/**
 * Writes an EROFS image (kernel: fs/erofs/erofs_fs.h) that holds a layer's names and attributes, while the bytes of its
 * files stay where they are, in the tar, which the kernel mounts as the image's extra device. Blocks are 512 bytes, the
 * tar's own, so that every file is one chunk at a block of the tar.
 *
 * Layout: super block at 1024, one device slot, then inodes (each with its attributes and, where it is short, its
 * directory or link target behind it), then the blocks of longer directories and link targets.
 */
const blockBytes = 512;
const blockBits = 9;
const superOffset = 1024;
const slotBytes = 128;
const deviceSlot = (superOffset + 128) / slotBytes;
const inodesOffset = (deviceSlot + 1) * slotBytes;
const nidBytes = 32;
const inodeBytes = 64;
const direntBytes = 12;
const nowhere = 0xffffffff;

const layouts = { plain: 0, inline: 2, chunks: 4 } as const;
const chunkIndexes = 0x20;
const chunkBitsMax = 31;
const features = { mtime: 0x2, chunkedFile: 0x4, deviceTable: 0x8 } as const;
const magic = 0xe0f5e1e2;

interface Inode {
  readonly node: LayerNode;
  readonly parent: Inode | undefined;
  readonly number: number;
  readonly xattrs: Buffer;
  /** Length of a directory's dirents or a link's target. */
  readonly bodyBytes: number;
  readonly entries?: readonly DirentBlock[];
  offset: number;
  /** First block of the body; undefined: the body stands right behind the inode. */
  block: number | undefined;
}

interface DirentBlock {
  readonly names: readonly string[];
  readonly bytes: number;
}

/** The image of the tree under `root`; `tarBytes` is the size of the tar whose offsets the nodes carry. */
export function encodeErofs(root: LayerNode, tarBytes: number): Buffer {
  const inodes = new Map<LayerNode, Inode>();
  const order: Inode[] = [];
  collect(root, undefined, { inodes, order });
  const blocks = place(order);
  const image = Buffer.alloc(blocks * blockBytes);
  writeSuper(image, { inodes: order.length, root: order[0]!, blocks, tarBlocks: Math.ceil(tarBytes / blockBytes) });
  for (const inode of order) writeInode(image, inode, inodes);
  return image;
}

/** Breadth first: the root gets a low number, which the super block has only 16 bits for, and a directory's children stand together. */
function collect(root: LayerNode, parent: Inode | undefined, into: { inodes: Map<LayerNode, Inode>; order: Inode[] }): void {
  const add = (node: LayerNode, above: Inode | undefined): void => {
    if (into.inodes.has(node)) return;
    const inode = describe(node, above, into.order.length + 1);
    into.inodes.set(node, inode);
    into.order.push(inode);
  };
  add(root, parent);
  for (let i = 0; i < into.order.length; i++) {
    const inode = into.order[i]!;
    for (const { names } of inode.entries ?? []) {
      for (const name of names) if (name !== "." && name !== "..") add(inode.node.children!.get(name)!, inode);
    }
  }
}

function describe(node: LayerNode, parent: Inode | undefined, number: number): Inode {
  const base = { node, parent, number, xattrs: encodeXattrs(node.xattrs), offset: 0, block: undefined };
  if (!isDirectory(node)) return { ...base, bodyBytes: kindOf(node) === kinds.symlink ? node.target.length : 0 };
  const entries = direntBlocks([".", "..", ...node.children.keys()].toSorted(byBytes));
  return { ...base, entries, bodyBytes: (entries.length - 1) * blockBytes + entries.at(-1)!.bytes };
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function direntBlocks(names: readonly string[]): DirentBlock[] {
  const blocks: DirentBlock[] = [];
  let current: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const more = direntBytes + name.length;
    if (bytes + more > blockBytes) {
      blocks.push({ names: current, bytes });
      current = [];
      bytes = 0;
    }
    current.push(name);
    bytes += more;
  }
  return [...blocks, { names: current, bytes }];
}

/** Gives every inode its offset and every long body its blocks; returns how many blocks there are. */
function place(order: readonly Inode[]): number {
  let offset = inodesOffset;
  for (const inode of order) {
    const head = inodeBytes + inode.xattrs.length;
    const inline = inode.bodyBytes > 0 && head + inode.bodyBytes <= blockBytes;
    // The kernel wants an inline body within one block.
    if (inline && ((offset + head) % blockBytes) + inode.bodyBytes > blockBytes) offset = roundUp(offset, blockBytes);
    inode.offset = offset;
    inode.block = inode.bodyBytes > 0 && !inline ? 0 : undefined;
    offset = roundUp(inline ? offset + head + inode.bodyBytes : hasChunk(inode) ? chunkOffset(inode) + 8 : offset + head, nidBytes);
  }
  let block = Math.ceil(offset / blockBytes);
  for (const inode of order) {
    if (inode.block === undefined) continue;
    inode.block = block;
    block += Math.ceil(inode.bodyBytes / blockBytes);
  }
  return block;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
const hasChunk = (inode: Inode): boolean => kindOf(inode.node) === kinds.file && inode.node.size > 0;
const chunkOffset = (inode: Inode): number => roundUp(inode.offset + inodeBytes + inode.xattrs.length, 8);
const nidOf = (inode: Inode): number => inode.offset / nidBytes;

function writeSuper(image: Buffer, what: { inodes: number; root: Inode; blocks: number; tarBlocks: number }): void {
  const at = superOffset;
  image.writeUInt32LE(magic, at);
  image.writeUInt32LE(features.mtime, at + 8);
  image.writeUInt8(blockBits, at + 12);
  image.writeUInt16LE(nidOf(what.root), at + 14);
  image.writeBigUInt64LE(BigInt(what.inodes), at + 16);
  image.writeUInt32LE(what.blocks, at + 36);
  image.writeUInt32LE(features.chunkedFile | features.deviceTable, at + 80);
  image.writeUInt16LE(1, at + 86);
  image.writeUInt16LE(deviceSlot, at + 88);
  image.writeUInt32LE(what.tarBlocks, deviceSlot * slotBytes + 64);
}

function writeInode(image: Buffer, inode: Inode, inodes: ReadonlyMap<LayerNode, Inode>): void {
  const { node, offset } = inode;
  const layout = hasChunk(inode) ? layouts.chunks : inode.bodyBytes > 0 && inode.block === undefined ? layouts.inline : layouts.plain;
  image.writeUInt16LE(1 | (layout << 1), offset);
  image.writeUInt16LE(inode.xattrs.length === 0 ? 0 : 1 + (inode.xattrs.length - 12) / 4, offset + 2);
  image.writeUInt16LE(node.mode, offset + 4);
  image.writeBigUInt64LE(BigInt(kindOf(node) === kinds.file ? node.size : inode.bodyBytes), offset + 8);
  image.writeUInt32LE(specific(inode), offset + 16);
  image.writeUInt32LE(inode.number, offset + 20);
  image.writeUInt32LE(node.uid, offset + 24);
  image.writeUInt32LE(node.gid, offset + 28);
  image.writeBigInt64LE(BigInt(node.mtime), offset + 32);
  image.writeUInt32LE(node.mtimeNano, offset + 40);
  image.writeUInt32LE(node.links, offset + 44);
  inode.xattrs.copy(image, offset + inodeBytes);
  if (layout === layouts.chunks) writeChunk(image, inode);
  if (inode.bodyBytes === 0) return;
  const body = inode.block === undefined ? offset + inodeBytes + inode.xattrs.length : inode.block * blockBytes;
  if (inode.entries === undefined) image.write(node.target, body, "latin1");
  else inode.entries.forEach((block, index) => writeDirents(image, body + index * blockBytes, { block, inode, inodes }));
}

/** The field that means something else for each kind: block of the body, device number, size of the chunk. */
function specific(inode: Inode): number {
  const { node } = inode;
  if (hasChunk(inode)) return chunkIndexes | chunkBits(node.size);
  if (kindOf(node) === kinds.char || kindOf(node) === kinds.block) {
    const { major, minor } = node.device;
    return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
  }
  return inode.block ?? (inode.bodyBytes > 0 ? 0 : nowhere);
}

/** Blocks in a chunk, as a power of two: the whole file is one. */
const chunkBits = (size: number): number => Math.min(chunkBitsMax, Math.max(0, Math.ceil(Math.log2(Math.ceil(size / blockBytes)))));

function writeChunk(image: Buffer, inode: Inode): void {
  const at = chunkOffset(inode);
  image.writeUInt16LE(1, at + 2);
  image.writeUInt32LE(inode.node.dataOffset / blockBytes, at + 4);
}

function writeDirents(image: Buffer, at: number, { block, inode, inodes }: { block: DirentBlock; inode: Inode; inodes: ReadonlyMap<LayerNode, Inode> }): void {
  let nameOffset = block.names.length * direntBytes;
  block.names.forEach((name, index) => {
    const target = name === "." ? inode : name === ".." ? (inode.parent ?? inode) : inodes.get(inode.node.children!.get(name)!)!;
    const dirent = at + index * direntBytes;
    image.writeBigUInt64LE(BigInt(nidOf(target)), dirent);
    image.writeUInt16LE(nameOffset, dirent + 8);
    image.writeUInt8(fileTypes[kindOf(target.node)]!, dirent + 10);
    image.write(name, at + nameOffset, "latin1");
    nameOffset += name.length;
  });
}

const fileTypes: Readonly<Record<number, number>> = {
  [kinds.file]: 1,
  [kinds.directory]: 2,
  [kinds.char]: 3,
  [kinds.block]: 4,
  [kinds.fifo]: 5,
  [kinds.symlink]: 7,
};

const xattrPrefixes = [
  ["user.", 1],
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["trusted.", 4],
  ["security.", 6],
] as const;
const xattrHeadBytes = 12;

/** Inline attributes: a head, then name and value of each, padded to 4 bytes. Empty when there are none. */
function encodeXattrs(xattrs: ReadonlyMap<string, Buffer>): Buffer {
  if (xattrs.size === 0) return Buffer.alloc(0);
  const parts: Buffer[] = [Buffer.alloc(xattrHeadBytes)];
  for (const [key, value] of xattrs) {
    const [prefix, index] = xattrPrefixes.find(([start]) => key.startsWith(start))!;
    const name = Buffer.from(key.slice(prefix.length), "latin1");
    const entry = Buffer.alloc(roundUp(4 + name.length + value.length, 4));
    entry.writeUInt8(name.length, 0);
    entry.writeUInt8(index, 1);
    entry.writeUInt16LE(value.length, 2);
    name.copy(entry, 4);
    value.copy(entry, 4 + name.length);
    parts.push(entry);
  }
  return Buffer.concat(parts);
}
