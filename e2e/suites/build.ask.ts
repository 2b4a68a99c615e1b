import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clients } from "../fixtures/clients.mjs";
import type { StockDocker } from "../fixtures/docker.ts";
import { type BuildCase, context } from "./build.cases.ts";

export type Builder = "classic" | "buildkit";

/** What came of a build, without what differs from one to the next. */
export interface BuildAnswer {
  readonly code: number;
  /** The last line that was said of a failure. */
  readonly error: string;
  /** Instructions of the image's history, newest first. */
  readonly history: readonly string[];
  readonly config: unknown;
  readonly layers: number;
  /** Mode, owner, size or target, name, and of a file the first digits of its MD5 sum: everything that is not the base image's programs. */
  readonly files: readonly string[];
}

export const buildersOf = ({ builder }: BuildCase): readonly Builder[] => (builder === undefined ? ["classic", "buildkit"] : [builder]);
export const keyOf = ({ name }: BuildCase, builder: Builder): string => `${name} (${builder})`;

const tag = "slipway-built:case";
const seen = `find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /bin \\) -prune -o -print | sort | while read -r f; do
  sum=
  if [ -f "$f" ] && ! [ -L "$f" ]; then sum=" $(md5sum < "$f" | cut -c1-8)"; fi
  echo "$(stat -c '%a %u:%g %s %F %N' "$f")$sum"
done`;
/** What the runtime puts into every container. */
const runtime = / '?\/(\.dockerenv|etc\/(hosts|hostname|resolv\.conf|mtab))\b/;

export async function askBuild(docker: StockDocker, one: BuildCase, builder: Builder): Promise<BuildAnswer> {
  const directory = mkdtempSync("/tmp/slipway-case-");
  try {
    for (const [name, text] of Object.entries({ ...context, ...one.files, Dockerfile: one.dockerfile })) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
      chmodSync(join(directory, name), name.endsWith(".sh") ? 0o755 : 0o644);
    }
    const args = ["build", ...(builder === "buildkit" ? ["--provenance=false"] : []), "-t", tag, ...(one.args ?? []), directory];
    const built = await docker.inside(["env", `DOCKER_BUILDKIT=${builder === "classic" ? 0 : 1}`, clients.docker, ...args]);
    if (built.code !== 0) return { code: built.code, error: errorOf(built.stderr), history: [], config: {}, layers: 0, files: [] };
    return await imageAnswer(docker);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function imageAnswer(docker: StockDocker): Promise<BuildAnswer> {
  const [image] = JSON.parse(await docker.ok("image", "inspect", tag)) as { Config: Record<string, unknown>; RootFS: { Layers?: string[] } }[];
  const history = (await docker.ok("history", "--no-trunc", "--format", "{{.CreatedBy}}", tag)).split("\n");
  const config = image?.Config ?? {};
  const files = config["Cmd"] !== undefined && JSON.stringify(config["Cmd"]) === '["/x"]' ? [] : await filesOf(docker);
  await docker("rmi", "-f", tag);
  return { code: 0, error: "", history: history.map(withoutHashes), config: withoutEmpty(config), layers: image?.RootFS.Layers?.length ?? 0, files };
}

async function filesOf(docker: StockDocker): Promise<string[]> {
  const listed = await docker.ok("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", tag, "-c", seen);
  const lines = listed.split("\n").filter((line) => !runtime.test(line));
  // A directory's size is its file system's affair.
  return lines.map((line) => line.replace(/^(\d+ \d+:\d+) \d+ directory/, "$1 directory"));
}

const withoutHashes = (text: string): string => text.replace(/(file|dir|multi):[0-9a-f]{64}/g, "$1:HASH").trimEnd();

/** A field that is empty and one that is not there are the same to whoever reads it. */
function withoutEmpty(config: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(config).filter(([, value]) => value !== null && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function errorOf(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line
    .replace(/^ERROR: (failed to build: )?failed to solve: /, "")
    .replace(/\/\S+\/(rootfs-mount|buildkit)\d+\//, "/")
    .replace(/^Error response from daemon: /, "")
    .replace(/failed to calculate checksum of ref \S+: /, "")
    .replace(/\b(runc|crun) create failed/, "RUNTIME create failed");
}
