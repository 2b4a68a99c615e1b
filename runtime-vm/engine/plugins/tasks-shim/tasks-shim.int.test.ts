import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { createLogDrivers } from "#plugins/logs-jsonfile/drivers.ts";
import type { TaskRuntime } from "#core/tasks/tasks.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openShimRuntime } from "./runtime.ts";
import type { ShimRuntimeOptions } from "./options.ts";
import { type Box, collect, readAll, readUntil, runToEnd, smallSpec } from "./test-tasks.ts";
import { openTestTree, processesNaming, type TestTree } from "./test-tree.ts";

let tree: TestTree;
let box: Box;
let runtime: TaskRuntime;
const said: string[] = [];

const optionsFor = (name: string): ShimRuntimeOptions => ({
  bundles: join(tree.dir, name, "bundles"),
  shims: join(tree.dir, name, "shims"),
  kernel: createKernel(),
  log: (line) => void said.push(line),
  shimBinary: tree.shim,
  busyboxBinary: tree.busybox,
  cgroupRoot: tree.cgroupRoot,
});

const cgroupOf = (id: string): string => join(tree.cgroupRoot, tree.cgroup, id);
const testCgroups = (): string[] => {
  const dir = cgroupOf("");
  return existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];
};

beforeAll(async () => {
  tree = await openTestTree();
  box = { rootfs: tree.rootfs("rootfs"), cgroup: tree.cgroup };
  runtime = await openShimRuntime(optionsFor("main"));
});

afterAll(async () => {
  await runtime.close({ stopShims: true });
  await tree[Symbol.asyncDispose]();
});

test("exit codes and both outputs of a program come back", async () => {
  expect(await runToEnd(runtime, box, "t-true", ["true"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await runToEnd(runtime, box, "t-false", ["false"])).toMatchObject({ code: 1 });
  const outcome = await runToEnd(runtime, box, "t-42", ["sh", "-c", "echo out; echo err >&2; exit 42"]);
  expect(outcome).toMatchObject({ code: 42, stdout: "out\n", stderr: "err\n" });
});

test("a signal ends a program with 128 and its number", async () => {
  const task = await runtime.create({ id: "t-kill", rootfs: box.rootfs, spec: smallSpec("t-kill", box, ["sleep", "1000"]), terminal: false, stdin: false });
  const outcome = collect(task);
  await task.start();
  expect(task.pids()).toContain(task.pid);
  await task.kill(9);
  expect((await outcome).code).toBe(137);
  expect((await task.delete()).code).toBe(137);
  await task.kill(9);
  expect((await task.wait()).code).toBe(137);
});

test("a task that was never started, or was just sent SIGKILL, can be deleted; one that runs cannot", async () => {
  const spec = (id: string) => ({ id, rootfs: box.rootfs, spec: smallSpec(id, box, ["sleep", "1000"]), terminal: false, stdin: false });
  await (await runtime.create(spec("t-fresh"))).delete();
  const running = await runtime.create(spec("t-fresh"));
  await running.start();
  await expect(running.delete()).rejects.toMatchObject({ class: "conflict" });
  await running.kill(9);
  expect((await running.delete()).code).toBe(137);
  expect(testCgroups()).toEqual([]);
  expect(runtime.recorded()).toEqual([]);
});

test("a task that was never started can be killed and deleted", async () => {
  const task = await runtime.create({ id: "t-unborn", rootfs: box.rootfs, spec: smallSpec("t-unborn", box, ["true"]), terminal: false, stdin: false });
  await task.kill(9);
  await task.wait();
  await task.delete();
  expect(testCgroups()).toEqual([]);
});

test("a terminal has its first size, follows a resize, and echoes", async () => {
  const script = "stty size; read line; stty size; echo got $line";
  const spec = smallSpec("t-tty", box, ["sh", "-c", script]);
  const task = await runtime.create({ id: "t-tty", rootfs: box.rootfs, spec, terminal: true, stdin: true, size: { width: 80, height: 24 } });
  expect(task.stdio.stderr).toBeUndefined();
  await task.start();
  expect(await readUntil(task.stdio.stdout, "\n")).toContain("24 80");
  await task.resize({ width: 100, height: 30 });
  task.stdio.stdin?.write("hello\n");
  const rest = await readAll(task.stdio.stdout);
  expect(rest).toContain("30 100");
  expect(rest).toContain("got hello");
  expect((await task.wait()).code).toBe(0);
  await task.delete();
});

test("stdin is half-closed: everything written is delivered, then the program sees its end", async () => {
  const task = await runtime.create({ id: "t-cat", rootfs: box.rootfs, spec: smallSpec("t-cat", box, ["cat"]), terminal: false, stdin: true });
  const outcome = collect(task);
  await task.start();
  const text = "line\n".repeat(50_000);
  task.stdio.stdin?.write(text);
  await task.closeStdin();
  expect(await outcome).toMatchObject({ code: 0, stdout: text });
  await task.delete();
});

test("an exec has its own streams, exit code and terminal", async () => {
  const task = await runtime.create({ id: "t-exec", rootfs: box.rootfs, spec: smallSpec("t-exec", box, ["sleep", "1000"]), terminal: false, stdin: false });
  await task.start();
  const spec = { terminal: false, user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], cwd: "/" };
  const plain = await task.exec("e1", { ...spec, args: ["sh", "-c", "cat; echo err >&2; exit 7"] }, { terminal: false, stdin: true });
  const outcome = collect(plain);
  plain.stdio.stdin?.write("typed");
  await plain.closeStdin();
  expect(await outcome).toMatchObject({ code: 7, stdout: "typed", stderr: "err\n" });
  const tty = await task.exec("e2", { ...spec, args: ["sh", "-c", "sleep 0.1; stty size"] }, { terminal: true, stdin: false, size: { width: 33, height: 11 } });
  expect((await collect(tty)).stdout.trim()).toBe("11 33");
  await expect(task.exec("e3", { ...spec, args: ["nothing-here"] }, { terminal: false, stdin: false })).rejects.toMatchObject({
    class: "invalidArgument",
    message: 'OCI runtime exec failed: exec failed: unable to start container process: exec: "nothing-here": executable file not found in $PATH',
  });
  await task.kill(9);
  await task.wait();
  await task.delete();
  expect(await gone(() => readdirSync(join(tree.dir, "main/bundles")))).toEqual([]);
});

test("a paused program stands still, and a killed one does not need resuming", async () => {
  const spec = smallSpec("t-pause", box, ["sh", "-c", "while :; do echo tick; sleep 0.05; done"]);
  const task = await runtime.create({ id: "t-pause", rootfs: box.rootfs, spec, terminal: false, stdin: false });
  await task.start();
  await readUntil(task.stdio.stdout, "tick");
  await task.pause();
  expect(readFileSync(join(task.cgroup, "cgroup.events"), "utf8")).toContain("frozen 1");
  await task.resume();
  expect(readFileSync(join(task.cgroup, "cgroup.events"), "utf8")).toContain("frozen 0");
  await task.pause();
  task.stdio.stdout.resume();
  task.stdio.stderr?.resume();
  await task.kill(9);
  expect((await task.wait()).code).toBe(137);
  await task.delete();
});

test.for([
  ["nothing-here", 'exec: "nothing-here": executable file not found in $PATH'],
  ["/nothing/here", 'exec: "/nothing/here": stat /nothing/here: no such file or directory'],
  ["/etc/passwd", 'exec: "/etc/passwd": permission denied'],
  ["/etc", 'exec: "/etc": is a directory: permission denied'],
])("a command that cannot run (%s) is refused in the words clients know, and leaves nothing", async ([command, words]) => {
  const spec = smallSpec("t-bad", box, [command as string]);
  await expect(runtime.create({ id: "t-bad", rootfs: box.rootfs, spec, terminal: false, stdin: false })).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining(
      `OCI runtime create failed: crun create failed: unable to start container process: error during container init: ${words}`,
    ) as string,
  });
  expect(await gone(() => readdirSync(join(tree.dir, "main/bundles")))).toEqual([]);
  expect(testCgroups()).toEqual([]);
});

test("a program that is executed begins with the score its container has for being killed for memory", async () => {
  const task = await runtime.create({ id: "t-score", rootfs: box.rootfs, spec: smallSpec("t-score", box, ["sleep", "1000"]), terminal: false, stdin: false });
  await task.start();
  const scores = [0, 321, 0, 500, 0];
  const said = await Promise.all(
    scores.map(async (oomScoreAdj, n) => {
      const args = ["cat", "/proc/self/oom_score_adj"];
      const exec = await task.exec(
        `s${n}`,
        { terminal: false, user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], cwd: "/", args, oomScoreAdj },
        { terminal: false, stdin: false },
      );
      return Number((await collect(exec)).stdout);
    }),
  );
  expect(said).toEqual(scores);
  await task.kill(9);
  await task.wait();
  await task.delete();
});

test("forty containers in a row do not freeze a hot shim", async () => {
  const shims = processesNaming(join(tree.dir, "main/shims")).filter((line) => line.includes("containerd-shim") && !line.endsWith(" start"));
  expect(shims).not.toEqual([]);
  for (let n = 0; n < 40; n++) expect((await runToEnd(runtime, box, `t-row-${n}`, ["true"])).code).toBe(0);
  // Another may have been started meanwhile.
  expect(processesNaming(join(tree.dir, "main/shims"))).toEqual(expect.arrayContaining(shims));
});

test("containers started side by side all end as they should", async () => {
  const ids = Array.from({ length: 12 }, (_, n) => n);
  const outcomes = await Promise.all(ids.map((n) => runToEnd(runtime, box, `t-side-${n}`, ["sh", "-c", `echo ${n}; exit ${n}`])));
  expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(ids.map((n) => [n, `${n}\n`]));
});

test("a hundred megabytes go through the log complete and in order", async () => {
  const lines = 250_000;
  const width = 400;
  const numbers = Array.from({ length: lines }, (_, n) => `${String(n + 1).padStart(width - 1, "0")}\n`);
  writeFileSync(join(box.rootfs, "numbers"), numbers.join(""));
  await using logs = asDisposable(createLogDrivers({ directory: join(tree.dir, "logs"), report: (line) => void said.push(line) }));
  const log = await logs.drivers["json-file"].open(
    { id: "t-big", name: "t-big", imageId: "", imageName: "", createdAt: "", command: [], env: [], labels: {} },
    {},
  );
  const task = await runtime.create({ id: "t-big", rootfs: box.rootfs, spec: smallSpec("t-big", box, ["cat", "/numbers"]), terminal: false, stdin: false });
  const consumed = log.consume(task.stdio);
  await task.start();
  await consumed;
  expect((await task.wait()).code).toBe(0);
  await task.delete();
  let next = 1;
  const signal = new AbortController().signal;
  for await (const block of log.readFrames({ stdout: true, stderr: true, follow: false, signal }, { raw: true, timestamps: false, details: false })) {
    for (let at = 0; at < block.length; at += width, next++)
      if (Number(block.toString("latin1", at + width - 17, at + width - 1)) !== next) throw new Error(`line ${next} is wrong`);
  }
  expect(next - 1).toBe(lines);
  await log[Symbol.asyncDispose]();
  rmSync(log.path);
});

test("after kill -9 of the engine a task is found again with output and exit code", async () => {
  const options = optionsFor("restore");
  const engine = await startEngine(options, "t-live", ["sh", "-c", "echo before; read x; echo after $x; exit 5"]);
  engine.kill("SIGKILL");
  await once(engine, "exit");
  await using second = asClosable(await openShimRuntime(options));
  expect(second.runtime.recorded()).toEqual(["t-live"]);
  const task = await second.runtime.restore({ id: "t-live", terminal: false, stdin: true });
  if (!task) throw new Error("the task is gone");
  const outcome = collect(task);
  task.stdio.stdin?.write("all\n");
  expect(await outcome).toMatchObject({ code: 5, stdout: "before\nafter all\n" });
  await task.delete();
  expect(second.runtime.recorded()).toEqual([]);
});

test("a task that ends while no engine runs keeps its last output and its exit code", async () => {
  const options = optionsFor("ended");
  const engine = await startEngine(options, "t-ended", ["sh", "-c", "echo one; echo two >&2; while [ ! -e /go ]; do sleep 0.02; done; echo last; exit 9"]);
  engine.kill("SIGKILL");
  await once(engine, "exit");
  const task = await whileNoEngineRuns();
  const outcome = await collect(task.task);
  expect(outcome).toMatchObject({ code: 9, stdout: "one\nlast\n", stderr: "two\n" });
  await task.task.delete();
  await task.runtime.close({ stopShims: true });

  async function whileNoEngineRuns() {
    const pid = Number(readFileSync(join(cgroupOf("t-ended"), "cgroup.procs"), "utf8").split("\n")[0]);
    spawn("touch", [join(box.rootfs, "go")]);
    while (existsSync(`/proc/${pid}/cwd`)) await new Promise((resolve) => setTimeout(resolve, 20));
    rmSync(join(box.rootfs, "go"));
    const again = await openShimRuntime(options);
    const found = await again.restore({ id: "t-ended", terminal: false, stdin: true });
    if (!found) throw new Error("the task is gone");
    return { runtime: again, task: found };
  }
});

test.each([false, true])(
  "a task whose removal was cut off when its FIFOs were gone keeps its exit code and is removed; taken for one with a terminal: %s",
  async (terminal) => {
    const options = optionsFor("cut");
    const engine = await startEngine(options, "t-cut", ["sh", "-c", "echo said; exit 6"]);
    engine.kill("SIGKILL");
    await once(engine, "exit");
    for (const name of ["stdin", "stdout", "stderr"]) rmSync(join(options.bundles, "t-cut", name));
    await using second = asClosable(await openShimRuntime(options));
    const task = await second.runtime.restore({ id: "t-cut", terminal, stdin: true });
    if (!task) throw new Error("the task is gone");
    expect(await collect(task)).toMatchObject({ code: 6, stdout: "", stderr: "" });
    await task.delete();
    await second.runtime.close({ stopShims: true });
    expect(readdirSync(options.bundles)).toEqual([]);
    expect(existsSync(join(options.shims, "crun/slipway/t-cut"))).toBe(false);
  },
);

test("an exec whose engine was killed does not stand still, and is freed when it ends", async () => {
  const options = optionsFor("orphan");
  const engine = await startEngine(options, "t-orphan", ["sleep", "1000"], ["sh", "-c", "cat /numbers; echo done > /orphan-done"]);
  engine.kill("SIGKILL");
  await once(engine, "exit");
  await using second = asClosable(await openShimRuntime(options));
  const task = await second.runtime.restore({ id: "t-orphan", terminal: false, stdin: true });
  if (!task) throw new Error("the task is gone");
  const fifos = (): string[] => readdirSync(join(options.bundles, "t-orphan")).filter((name) => name.startsWith("e1."));
  expect(await gone(fifos)).toEqual([]);
  expect(readFileSync(join(box.rootfs, "orphan-done"), "utf8")).toBe("done\n");
  await task.kill(9);
  await task.wait();
  await task.delete();
});

test("when a shim is killed its container is reaped and other containers go on", async () => {
  const own = await openShimRuntime(optionsFor("killed"));
  const spec = (id: string) => smallSpec(id, box, ["sleep", "1000"]);
  const first = await own.create({ id: "t-shim-a", rootfs: box.rootfs, spec: spec("t-shim-a"), terminal: false, stdin: false });
  await first.start();
  const record = JSON.parse(readFileSync(join(tree.dir, "killed/bundles/t-shim-a/task.json"), "utf8")) as { shim: string };
  const { address } = JSON.parse(readFileSync(join(tree.dir, "killed/shims", record.shim, "shim.json"), "utf8")) as { address: string };
  const shim = processesNaming(`-id ${record.shim}`).find((line) => line.includes("containerd-shim"));
  process.kill(Number(shim?.split(" ")[0]), "SIGKILL");
  expect((await collect(first)).code).toBe(137);
  await first.delete();
  expect(existsSync(`/proc/${first.pid}/cwd`)).toBe(false);
  expect(existsSync(address)).toBe(false);
  expect(testCgroups()).toEqual([]);
  expect((await runToEnd(own, box, "t-shim-b", ["true"])).code).toBe(0);
  await own.close({ stopShims: true });
});

test("a create whose shim has just died is made in another", async () => {
  const own = await openShimRuntime(optionsFor("died"));
  const spec = (id: string) => smallSpec(id, box, ["true"]);
  expect((await runToEnd(own, box, "t-died-a", ["true"])).code).toBe(0);
  const shims = processesNaming(join(tree.dir, "died/shims")).filter((line) => line.includes("containerd-shim"));
  expect(shims).not.toEqual([]);
  for (const line of shims) process.kill(Number(line.split(" ")[0]), "SIGKILL");
  const task = await own.create({ id: "t-died-b", rootfs: box.rootfs, spec: spec("t-died-b"), terminal: false, stdin: false });
  await task.start();
  expect((await collect(task)).code).toBe(0);
  await task.delete();
  expect(testCgroups()).toEqual([]);
  await own.close({ stopShims: true });
});

test("nothing is left: no process, cgroup, bundle or FIFO", async () => {
  await runtime.close({ stopShims: true });
  expect(testCgroups()).toEqual([]);
  for (const name of ["main", "restore", "ended", "cut", "orphan", "killed", "died"]) {
    expect(readdirSync(join(tree.dir, name, "bundles"))).toEqual([]);
    expect(await gone(() => processesNaming(join(tree.dir, name)))).toEqual([]);
  }
});

/** An engine in a process of its own that creates and starts one container, and says when its first output has come. */
async function startEngine(options: ShimRuntimeOptions, id: string, args: string[], exec?: string[]): Promise<ChildProcess> {
  const { kernel: _kernel, log: _log, ...plain } = options;
  const here = new URL(".", import.meta.url).pathname;
  const script = `
    const { openShimRuntime } = await import("${here}runtime.ts");
    const { smallSpec } = await import("${here}test-tasks.ts");
    const { createKernel } = await import("${join(here, "../kernel-koffi/kernel.ts")}");
    const runtime = await openShimRuntime({ ...${JSON.stringify(plain)}, kernel: createKernel(), log: () => undefined });
    const task = await runtime.create({ id: "${id}", rootfs: "${box.rootfs}", spec: smallSpec("${id}", ${JSON.stringify(box)}, ${JSON.stringify(args)}), terminal: false, stdin: true });
    await task.start();
    const exec = ${JSON.stringify(exec ?? null)};
    if (exec) await task.exec("e1", { terminal: false, user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], cwd: "/", args: exec }, { terminal: false, stdin: true });
    setTimeout(() => console.log("started"), 300);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([once(child.stdout, "data"), once(child, "exit").then(() => Promise.reject(new Error("the engine process ended")))]);
  return child;
}

/** Processes that were told to end need a moment. */
async function gone(look: () => string[]): Promise<string[]> {
  for (let tries = 0; tries < 100 && look().length > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  return look();
}

const asDisposable = <T extends AsyncDisposable>(value: T): T => value;
const asClosable = (value: TaskRuntime) => ({ runtime: value, [Symbol.asyncDispose]: () => value.close({ stopShims: true }) });
