import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface Stage {
  readonly name: string;
  /** The file or directory it makes. */
  readonly target: string;
  /** Everything the result depends on; values, not paths. */
  readonly inputs: unknown;
  /** Makes the result at `path`, which does not exist yet. */
  readonly make: (path: string) => Promise<void>;
}

/**
 * Makes a stage's target unless it is there, made from the same inputs. The target is exchanged whole: a build that
 * dies leaves the former one. Returns whether anything was made.
 */
export async function build({ target, inputs, make }: Stage): Promise<boolean> {
  const stamp = stampPath(target);
  const digest = digestOf(inputs);
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) {
    // The launcher compares its date with the sources'.
    const now = new Date();
    utimesSync(stamp, now, now);
    return false;
  }
  mkdirSync(dirname(target), { recursive: true });
  sweep(target);
  const fresh = join(dirname(target), `.${basename(target)}.new-${process.pid}`);
  await make(fresh);
  rmSync(stamp, { force: true });
  if (existsSync(target)) renameSync(target, join(dirname(target), `.${basename(target)}.old-${process.pid}`));
  renameSync(fresh, target);
  writeFileSync(stamp, digest);
  sweep(target);
  return true;
}

/** Removes what earlier builds left beside `target`, except a former tree that an engine still runs in. */
function sweep(target: string): void {
  const leftovers = readdirSync(dirname(target)).filter((name) => /^\.(.+)\.(new|old)-\d+$/.exec(name)?.[1] === basename(target));
  for (const name of leftovers) {
    const path = join(dirname(target), name);
    if (!isMounted(path)) rmSync(path, { recursive: true, force: true });
  }
}

/** Whether any mount namespace shows the directory, as it does for a tree that is some engine's root. */
function isMounted(path: string): boolean {
  if (!existsSync("/proc/self/mountinfo")) return false;
  const seen = new Set<string>();
  return readdirSync("/proc").some((pid) => {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) return false;
      seen.add(namespace);
      // As bytes: Node's direct way to a string breaks its heap on such a file of some 70 KiB.
      return readFileSync(`/proc/${pid}/mountinfo`).includes(path);
    } catch {
      return false; // No process, or it ended, or is not ours to look into.
    }
  });
}

const stampPath = (target: string): string => join(dirname(target), `.${basename(target)}.inputs`);

/** What identifies the target as it is now, for the inputs of a later stage; empty when it was never made. */
export const stampOf = (target: string): string => (existsSync(stampPath(target)) ? readFileSync(stampPath(target), "utf8") : "");

const digestOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** Of the files' contents and names, in the order given. */
export const digestOfFiles = (paths: readonly string[]): string =>
  digestOf(paths.map((path) => [basename(path), createHash("sha256").update(readFileSync(path)).digest("hex")]));
