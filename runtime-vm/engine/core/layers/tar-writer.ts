import { blockBytes, encodeHeader, encodePax, paddedBytes } from "./tar-header.ts";

/** A file for a tar; names are `latin1` strings, what ustar cannot hold goes into pax records. */
export interface TarFile {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly linkName?: string;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
  readonly pax?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

const octalMax = 0o7777777;

/** Header (with pax records before it where needed) of a file whose `size` bytes and padding follow. */
export function tarHead(file: TarFile, size: number): Buffer {
  const { name, linkName = "", uid = 0, gid = 0, mtime = 0 } = file;
  const records: (readonly [string, string | Buffer])[] = [...(file.pax ?? [])];
  // Names that are not ASCII are allowed in pax only, as UTF-8, which is what their bytes normally are.
  if (name.length > 100 || !/^[\x20-\x7e]*$/.test(name)) records.push(["path", name]);
  if (linkName.length > 100 || !/^[\x20-\x7e]*$/.test(linkName)) records.push(["linkpath", linkName]);
  if (size > 0o77777777777) records.push(["size", String(size)]);
  if (uid > octalMax) records.push(["uid", String(uid)]);
  if (gid > octalMax) records.push(["gid", String(gid)]);
  if (!Number.isInteger(mtime) || mtime < 0) records.push(["mtime", String(mtime)]);
  for (const [key, value] of file.xattrs ?? []) records.push([`SCHILY.xattr.${key}`, value]);
  const header = encodeHeader({ ...file, type: file.type ?? "0", size });
  return records.length === 0 ? header : Buffer.concat([encodePax(records), header]);
}

export const tarPadding = (size: number): Buffer => Buffer.alloc(paddedBytes(size) - size);

/** The two zero blocks that close an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * blockBytes);

/** A whole small archive. */
export function packTar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => {
    const body = Buffer.from(file.body ?? []);
    return [tarHead(file, body.length), body, tarPadding(body.length)];
  });
  return Buffer.concat([...parts, tarEnd()]);
}
