import { readFileSync } from "node:fs";
import { EngineError } from "#base/errors.ts";

/** One line of /proc/self/mountinfo, as far as propagation goes. */
interface Mounted {
  readonly at: string;
  readonly shared: boolean;
}

/**
 * `shared` and `rshared` promise that what is mounted below `path` inside is seen outside, which only a shared mount keeps: class
 * invalidArgument in dockerd's words otherwise. A slave of a mount that nobody shares has nothing to miss: it is taken.
 */
export function checkPropagation(
  { path, found, propagation, hostPrefix }: { path: string; found: string; propagation: string; hostPrefix: string },
  mountinfo = readMountinfo(),
): void {
  if (propagation !== "shared" && propagation !== "rshared") return;
  const mount = mountOf(found, mountinfo);
  if (mount?.shared === true) return;
  const at = mount?.at ?? "/";
  const onHost = at.startsWith(hostPrefix) ? at.slice(hostPrefix.length) || "/" : at;
  throw new EngineError("invalidArgument", `path ${path} is mounted on ${onHost} but it is not a shared mount`);
}

function mountOf(path: string, mountinfo: string): Mounted | undefined {
  const above = parse(mountinfo).filter(({ at }) => at === "/" || path === at || path.startsWith(`${at}/`));
  // Of two at one place the later one is on top.
  return above.toSorted((a, b) => a.at.length - b.at.length).at(-1);
}

function parse(mountinfo: string): Mounted[] {
  return mountinfo
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, , , , at = "", , ...rest] = line.split(" ");
      const optional = rest.slice(0, rest.indexOf("-"));
      return {
        at: at.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
        shared: optional.some((field) => field.startsWith("shared:")),
      };
    });
}

// As bytes first: the file claims no size.
const readMountinfo = (): string => readFileSync("/proc/self/mountinfo").toString("utf8");
