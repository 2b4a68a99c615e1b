import type { OciSpec } from "#core/specs/spec.ts";
import type { Exit, Task, TaskProcess, TaskRuntime } from "#core/tasks/tasks.ts";
import type { Readable } from "node:stream";

/** Where test containers live. */
export interface Box {
  readonly rootfs: string;
  /** Parent in the cgroup hierarchy. */
  readonly cgroup: string;
}

/** A container as small as the runtime allows, for tests of tasks alone. */
export const smallSpec = (id: string, box: Box, args: string[]): OciSpec => ({
  ociVersion: "1.0.2",
  process: { terminal: false, user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin"], cwd: "/" },
  root: { path: box.rootfs, readonly: false },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
  ],
  linux: { cgroupsPath: `${box.cgroup}/${id}`, namespaces: ["pid", "ipc", "uts", "mount", "cgroup", "network"].map((type) => ({ type })) },
});

export interface Outcome extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts it, reads everything, waits and deletes. */
export async function runToEnd(runtime: TaskRuntime, box: Box, id: string, args: string[]): Promise<Outcome> {
  const task = await runtime.create({ id, rootfs: box.rootfs, spec: smallSpec(id, box, args), terminal: false, stdin: false });
  const outcome = collect(task);
  await task.start();
  const result = await outcome;
  await task.delete();
  return result;
}

/** Output to its end, and the exit. */
export async function collect(process: TaskProcess | Task): Promise<Outcome> {
  const [stdout, stderr, exit] = await Promise.all([
    readAll(process.stdio.stdout),
    process.stdio.stderr ? readAll(process.stdio.stderr) : Promise.resolve(""),
    process.wait(),
  ]);
  return { ...exit, stdout, stderr };
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Reads until `needle` has come. */
export async function readUntil(stream: Readable, needle: string): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes(needle)) return text;
  }
  throw new Error(`the output ended without ${JSON.stringify(needle)}: ${JSON.stringify(text)}`);
}
