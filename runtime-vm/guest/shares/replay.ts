import type { Deed, Deeds } from "./deeds.ts";
import { errno, type Name } from "./libc.ts";
import { type Node, textOf } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import { S, writeU64 } from "./protocol.ts";

/** Extended attributes that are questions of the teller (tell.ts), who has no other way to this thread. */
export const question = { node: "user.slipway.node", number: "user.slipway.number:" } as const;

/** The answer to the second one for a name that a container removed; else it is the file's number, in eight bytes, or nothing. */
export const removedHere = "removed";
/** Names that are remembered for that. */
const removedMax = 8_192;

/** Values of the flag that both threads share: whether names are looked up as they are, and else what is expected to be gone. */
export const replaying = { no: 0, file: 1, folder: 2 } as const;

/**
 * Has the guest's kernel go through what the host has done with a share, so that its watchers are told (inotify): the teller's thread
 * makes a file that is there, or deletes one that is gone. For this thread alone, and while the flag is up, names answer the other way
 * round, and acts change nothing.
 */
export class Replay {
  readonly #nodes: Nodes;
  readonly #teller: number;
  readonly #flag: Int32Array;
  readonly #deeds: Deeds;
  readonly #removed = new Set<string>();

  constructor(nodes: Nodes, teller: number, flag: Int32Array, deeds: Deeds) {
    this.#nodes = nodes;
    this.#teller = teller;
    this.#flag = flag;
    this.#deeds = deeds;
  }

  isBy = (pid: number): boolean => pid === this.#teller;

  /** What LOOKUP answers when `found` is the truth. */
  lookup(pid: number, parent: Node, name: Name, found: Node | number): Node | number {
    const flag = this.isBy(pid) ? Atomics.load(this.#flag, 0) : replaying.no;
    if (flag === replaying.no) return found;
    if (typeof found !== "number") {
      this.#nodes.forget(found.id, 1);
      return -(errno["ENOENT"] ?? 2);
    }
    return found === -(errno["ENOENT"] ?? 2) ? this.#nodes.ghost(parent, name, flag === replaying.folder ? S.IFDIR : S.IFREG) : found;
  }

  remove(parent: Node, name: Name): number {
    parent.children.delete(textOf(name));
    return 0;
  }

  /** A container has done this. */
  done(node: Node | undefined, deed: Deed): void {
    if (node !== undefined) this.#deeds.write(node.key, deed);
  }

  /** A container has removed `node`, if it was known, from this name. */
  removed(node: Node | undefined, parent: Node, name: string): void {
    this.done(node, "removed");
    this.#removed.add(`${parent.id}/${name}`);
    if (this.#removed.size <= removedMax) return;
    const oldest = this.#removed.keys().next();
    if (oldest.done !== true) this.#removed.delete(oldest.value);
  }

  /** The answer to a question about a folder; undefined for what is none. */
  ask(folder: Node, name: string): Buffer | undefined {
    if (name === question.node) {
      const id = Buffer.alloc(8);
      writeU64(id, folder.id, 0);
      return id;
    }
    if (!name.startsWith(question.number)) return undefined;
    const file = name.slice(question.number.length);
    if (this.#removed.delete(`${folder.id}/${file}`)) return Buffer.from(removedHere);
    return Buffer.from(folder.children.get(file)?.key.slice(0, 8) ?? "", "latin1");
  }
}
