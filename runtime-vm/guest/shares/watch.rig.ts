import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const inotify = {
  init: libc.func("int inotify_init1(int flags)"),
  add: libc.func("int inotify_add_watch(int fd, const char *path, uint32_t mask)"),
  read: libc.func("long read(int fd, _Out_ uint8_t *into, size_t size)"),
  close: libc.func("int close(int fd)"),
};
const masks: Readonly<Record<string, number>> = { modify: 2, written: 8, from: 0x40, to: 0x80, create: 0x100, delete: 0x200 };

/** What inotify has told of a folder since it was asked last, for tests. */
export class Watch implements Disposable {
  readonly #fd: number;
  constructor(path: string) {
    this.#fd = inotify.init(0o4000) as number;
    const mask = Object.values(masks).reduce((all, one) => all | one);
    if ((inotify.add(this.#fd, path, mask) as number) < 0) throw new Error(`${path} cannot be watched`);
  }
  take(): string[] {
    const events = Buffer.alloc(65_536);
    const length = inotify.read(this.#fd, events, events.length) as number;
    const told: string[] = [];
    for (let at = 0; at < length; at += 16 + events.readUInt32LE(at + 12)) {
      const name = events.toString("utf8", at + 16, events.indexOf(0, at + 16));
      const mask = events.readUInt32LE(at + 4);
      for (const [what, bit] of Object.entries(masks)) if ((mask & bit) !== 0) told.push(`${what} ${name}${(mask & 0x40000000) !== 0 ? "/" : ""}`);
    }
    return told;
  }
  [Symbol.dispose](): void {
    inotify.close(this.#fd);
  }
}
