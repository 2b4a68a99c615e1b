import { MS } from "../kernel/kernel.ts";

const SYNCHRONOUS = 16;
const DIRSYNC = 128;
const NOATIME = 1024;
const NODIRATIME = 2048;
const STRICTATIME = 1 << 24;

/** mount(8)'s words for flags of mount(2): set or cleared. */
const FLAGS: Readonly<Record<string, readonly [set: boolean, flag: number]>> = {
  defaults: [true, 0],
  rw: [false, MS.RDONLY],
  ro: [true, MS.RDONLY],
  suid: [false, MS.NOSUID],
  nosuid: [true, MS.NOSUID],
  dev: [false, MS.NODEV],
  nodev: [true, MS.NODEV],
  exec: [false, MS.NOEXEC],
  noexec: [true, MS.NOEXEC],
  async: [false, SYNCHRONOUS],
  sync: [true, SYNCHRONOUS],
  dirsync: [true, DIRSYNC],
  atime: [false, NOATIME],
  noatime: [true, NOATIME],
  diratime: [false, NODIRATIME],
  nodiratime: [true, NODIRATIME],
  relatime: [true, MS.RELATIME],
  norelatime: [false, MS.RELATIME],
  strictatime: [true, STRICTATIME],
  bind: [true, MS.BIND],
  rbind: [true, MS.BIND | MS.REC],
  private: [true, MS.PRIVATE],
  rprivate: [true, MS.PRIVATE | MS.REC],
  slave: [true, MS.SLAVE],
  rslave: [true, MS.SLAVE | MS.REC],
  shared: [true, MS.SHARED],
  rshared: [true, MS.SHARED | MS.REC],
};

const PROPAGATION = MS.PRIVATE | MS.SLAVE | MS.SHARED | MS.UNBINDABLE;

export interface MountOptions {
  /** Of the mount itself. */
  readonly flags: number;
  /** Of a second call that sets how mounts below travel; 0: none. */
  readonly propagation: number;
  /** What the file system itself reads. */
  readonly data: string;
}

/** The `o` option of a volume, as mount(8) reads it; later words win. */
export function parseMountOptions(text: string): MountOptions {
  let flags = 0;
  let propagation = 0;
  const data: string[] = [];
  for (const word of text.split(",").filter((part) => part !== "")) {
    const known = FLAGS[word];
    if (known === undefined) data.push(word);
    else if ((known[1] & PROPAGATION) !== 0) propagation = known[1];
    else flags = known[0] ? flags | known[1] : flags & ~known[1];
  }
  return { flags, propagation, data: data.join(",") };
}
