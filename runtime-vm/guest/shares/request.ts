import { errno } from "./libc.ts";
import type { Node } from "./node.ts";

/** One request of the kernel: the file it is about, its body, and who asks. */
export interface Request {
  readonly node: Node;
  readonly body: Buffer;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** Writes an answer's body into `out` and returns its length, or minus errno. */
export type Handler = (request: Request, out: Buffer) => number;

export const no = (name: string): number => -(errno[name] ?? 5);
