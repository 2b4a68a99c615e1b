/** An entry of a cpio archive. */
export interface CpioEntry {
  readonly path: string;
  /** File type and permissions, as in st_mode. */
  readonly mode: number;
  readonly data?: Buffer;
}

export const cpioDirectory = (path: string): CpioEntry => ({ path, mode: 0o040755 });
export const cpioFile = (path: string, data: Buffer, mode = 0o100644): CpioEntry => ({ path, mode, data });

/** The archive the kernel unpacks as its first file system ("newc", linux/Documentation/driver-api/early-userspace/buffer-format.rst). All is root's, and without a date. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const all = [...entries, { path: "TRAILER!!!", mode: 0 }];
  return Buffer.concat(all.flatMap((entry, index) => encode(entry, index + 1)));
}

function encode({ path, mode, data = Buffer.alloc(0) }: CpioEntry, inode: number): Buffer[] {
  const nameBytes = Buffer.byteLength(path) + 1;
  const links = (mode & 0o170000) === 0o040000 ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, nameBytes, 0];
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${path}\0`);
  return [padded(head), padded(data)];
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
