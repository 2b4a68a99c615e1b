import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tarOf } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { processorMs } from "./processor.ts";
import { create, prefix, removeAll, type Row } from "./row.ts";
import type { Target } from "./target.ts";

const volume = `${prefix}data`;
const fork = `${prefix}fork`;
const treeFiles = 20_000;
/** Of this machine, one for each engine that has files to share. */
const folders = new Map<Target, string>();
const folderOf = (target: Target): string => folders.get(target) ?? "";

async function makeFolder(target: Target): Promise<void> {
  await removeVolumes(target);
  // Where a daemon in a tree of its own sees it too, and a VM that is told to share it.
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-files-"));
  folders.set(target, folder);
  const text = "module.exports = 1;\n".repeat(20);
  const tree = Array.from({ length: treeFiles }, (_, i) => ({ name: `tree/package-${i % 200}/file-${i}.js`, data: text }));
  writeFileSync(join(folder, "tree.tar"), await tarOf(tree));
}

async function removeVolumes(target: Target): Promise<void> {
  await removeAll(target);
  const folder = folderOf(target);
  if (folders.delete(target)) rmSync(folder, { recursive: true, force: true });
  const { Volumes } = await target.call<{ Volumes: { Name: string }[] | null }>("GET", "/volumes");
  for (const { Name } of Volumes ?? []) if (Name.startsWith(prefix)) await target.call("DELETE", `/volumes/${Name}`);
}

/** Runs a script to its end in a container with this at /work; what it printed. */
async function inside(target: Target, source: string, script: string): Promise<string> {
  const HostConfig = { Binds: [`${source}:/work`, ...(folders.has(target) ? [`${folderOf(target)}/tree.tar:/tree.tar:ro`] : [])] };
  const id = await create(target, "files", ["sh", "-c", script], { HostConfig, Tty: true });
  await target.call("POST", `/containers/${id}/start`);
  const { StatusCode } = await target.call<{ StatusCode: number }>("POST", `/containers/${id}/wait`);
  const said = await target.call<string>("GET", `/containers/${id}/logs?stdout=1`);
  await target.call("DELETE", `/containers/${id}?force=1`);
  if (StatusCode !== 0) throw new Error(`${target.label}: ${said}`);
  return said;
}

/** What a package manager does: unpack many small files, look for them, read them all, remove them. */
async function treeMs(target: Target, source: string): Promise<number> {
  const now = "read now _ < /proc/uptime";
  const work = `tar xf /tree.tar -C /work && [ $(find /work/tree -type f | wc -l) = ${treeFiles} ] && cat /work/tree/*/* > /dev/null && rm -r /work/tree || exit 1`;
  return Number(await inside(target, source, `${now}; from=$now; ${work}; ${now}; awk "BEGIN { print ($now - $from) * 1000 }"`));
}

const bindRow: Row = {
  name: "20,000 files in a bind mount",
  unit: "ms",
  rounds: 3,
  budget: 1,
  setup: makeFolder,
  measure: (target) => treeMs(target, folderOf(target)),
  teardown: removeVolumes,
};

/** Where the engine is in a VM: the way to this machine's files against the VM's own disk. */
const overDiskRow: Row = {
  name: "20,000 files in a bind mount, over the same in a volume",
  unit: "x",
  rounds: 3,
  setup: makeFolder,
  measure: async (target) => (await treeMs(target, folderOf(target))) / (await treeMs(target, volume)),
  teardown: removeVolumes,
};

/** Of the engine, where it is a process of this machine and can fork at all; the file system shares the blocks where it can. */
const forkRow: Row = {
  name: "processor time of a fork of a volume of 2 GB, over a second",
  unit: "ms",
  rounds: 3,
  budget: 1,
  against: 1_000,
  async setup(target) {
    await removeVolumes(target);
    await inside(target, volume, "dd if=/dev/urandom of=/work/large bs=1048576 count=2048");
  },
  async measure(target) {
    const pid = daemonOf(target.socket);
    if (pid === undefined || (await target.response("GET", `/slipway/volumes/${volume}/snapshots`)).resume().statusCode !== 200) return undefined;
    const before = processorMs(pid);
    await target.call("POST", `/slipway/volumes/${volume}/fork`, { Name: fork });
    const took = processorMs(pid) - before;
    await target.call("DELETE", `/volumes/${fork}`);
    return took;
  },
  teardown: removeVolumes,
};

export const volumeRows: readonly Row[] = [bindRow, overDiskRow, forkRow];
