import { EngineError } from "#base/errors.ts";
import { type FileTree, resolved } from "./tree.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const idMax = 2 ** 31 - 1;
const accountsBytesMax = 16 * 1024 * 1024;

/** Who `--chown=USER[:GROUP]` means in a root. A name nobody has is undefined: one builder makes it root, the other refuses it. */
export async function ownerOf(root: FileTree, text: string): Promise<{ uid: number | undefined; gid: number | undefined }> {
  const colon = text.indexOf(":");
  const [user, group] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  const named = isNumber(user) ? undefined : (await lines(root, "etc/passwd")).find(([name]) => name === user);
  const uid = isNumber(user) ? number(user) : idOf(named?.[2]);
  if (group === "") return { uid, gid: isNumber(user) ? uid : idOf(named?.[3]) };
  return { uid, gid: isNumber(group) ? number(group) : idOf((await lines(root, "etc/group")).find(([name]) => name === group)?.[2]) };
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);
const idOf = (text: string | undefined): number | undefined => (text !== undefined && isNumber(text) ? number(text) : undefined);

function number(text: string): number {
  const value = Number(text);
  if (value > idMax) throw new EngineError("invalidArgument", `uids and gids must be in range 0-${idMax}`);
  return value;
}

async function lines(root: FileTree, path: string): Promise<string[][]> {
  const entry = root.lstat(resolved(root, path));
  if (entry?.type !== "file" || entry.size > accountsBytesMax) return [];
  const chunks: Buffer[] = [];
  for await (const chunk of root.read(entry)) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString("utf8")
    .split("\n")
    .map((line) => line.split(":"));
}
