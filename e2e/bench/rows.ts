import type { Duplex, Readable } from "node:stream";
import { delay } from "#base/deadline.ts";
import { memoryPerContainerRow, memoryRow } from "./rows-memory.ts";
import { create, createStarted, prefix, removeAll, type Row, timed } from "./row.ts";
import type { Target } from "./target.ts";

async function drain(stream: Readable | Duplex): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += (chunk as Buffer).length;
  return bytes;
}

/** The kernel takes a network namespace down after whoever removed it has answered: not in the next engine's time. */
const clearedMs = 300;
const crowdClearedMs = 3_000;

const runRow = (network: string): Row => ({
  name: `create + start + wait + rm, network ${network}`,
  unit: "ms",
  rounds: 15,
  ...(network === "bridge" ? { budget: 0.15 } : {}),
  async measure(target, round) {
    await delay(clearedMs);
    return await timed(async () => {
      const id = await create(target, `run-${round}`, ["true"], { HostConfig: { NetworkMode: network } });
      await target.call("POST", `/containers/${id}/start`);
      await target.call("POST", `/containers/${id}/wait`);
      await target.call("DELETE", `/containers/${id}`);
    });
  },
});

/** Compared with crun alone. */
export const bareRow: Row = { ...runRow("bridge"), name: "life of a container, network bridge" };

const execIds = new WeakMap<Target, string>();

const execRow: Row = {
  name: "exec true",
  unit: "ms",
  rounds: 15,
  budget: 0.35,
  async setup(target) {
    execIds.set(target, await createStarted(target, "exec", ["sleep", "600"]));
  },
  measure: (target) =>
    timed(async () => {
      const { Id } = await target.call<{ Id: string }>("POST", `/containers/${execIds.get(target)}/exec`, {
        Cmd: ["true"],
        AttachStdout: true,
        AttachStderr: true,
      });
      const stream = await target.hijack(`/exec/${Id}/start`, { Detach: false, Tty: false });
      stream.end();
      await drain(stream);
    }),
  teardown: removeAll,
};

/**
 * Lines of 80 bytes in writes of 4 KiB, as a program's standard output gives them. `yes | head` would give the same, but takes longer over
 * each byte than a quick engine does, and the row would be of the two.
 */
const writer = (megabytes: number): readonly string[] => [
  "sh",
  "-c",
  `yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -c 10000000 > /lines
for i in $(seq ${megabytes / 10}); do dd if=/lines bs=4k 2> /dev/null; done`,
];

const logsRow: Row = {
  name: "logs -f of 200 MB while it is written",
  unit: "MB/s",
  rounds: 1,
  budget: 10,
  async measure(target) {
    const id = await create(target, "logs", writer(200));
    const took = await timed(async () => {
      await target.call("POST", `/containers/${id}/start`);
      const bytes = await target.count("GET", `/containers/${id}/logs?follow=1&stdout=1`, "Connection: close").bytes;
      if (bytes < 200_000_000) throw new Error(`${target.label}: logs -f gave ${bytes} bytes of 200,000,000`);
    });
    return 200_000 / took;
  },
  teardown: removeAll,
};

const attachRow: Row = {
  name: "attach to 200 MB of output",
  unit: "MB/s",
  rounds: 1,
  budget: 4,
  async measure(target) {
    const id = await create(target, "attach", writer(200), { AttachStdout: true });
    const attached = target.count("POST", `/containers/${id}/attach?stream=1&stdout=1`, "Connection: Upgrade", "Upgrade: tcp");
    await attached.begun;
    const took = await timed(async () => {
      await target.call("POST", `/containers/${id}/start`);
      const bytes = await attached.bytes;
      if (bytes < 200_000_000) throw new Error(`${target.label}: attach gave ${bytes} bytes of 200,000,000`);
    });
    return 200_000 / took;
  },
  teardown: removeAll,
};

const listRow: Row = {
  name: "list 100 containers",
  unit: "ms",
  rounds: 25,
  budget: 0.25,
  async setup(target) {
    for (let i = 0; i < 100; i += 1) await create(target, `list-${i}`, ["true"]);
  },
  measure: (target) => timed(async () => void (await target.call("GET", "/containers/json?all=1"))),
  teardown: removeAll,
};

/** Containers started side by side, as `docker compose up` does. */
const parallelRow: Row = {
  name: "20 containers started side by side",
  unit: "ms",
  rounds: 3,
  budget: 0.2,
  async measure(target, round) {
    await delay(crowdClearedMs);
    const took = await timed(async () => {
      const all = Array.from({ length: 20 }, async (_, i) => {
        await createStarted(target, `side-${round}-${i}`, ["sleep", "600"]);
      });
      await Promise.all(all);
    });
    await removeAll(target);
    return took;
  },
};

/** `sleep` as PID 1 ignores SIGTERM, as many programs do; this one ends by it. */
const obedient = ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"];

const endRow = (name: string, path: (id: string) => string, budget: number): Row => ({
  name,
  unit: "ms",
  rounds: 7,
  budget,
  async measure(target, round) {
    const id = await create(target, `end-${round}`, obedient);
    await target.call("POST", `/containers/${id}/start`);
    // The shell's trap is set a moment after the start.
    await delay(300);
    const took = await timed(async () => {
      await target.call("POST", path(id));
      await target.call("POST", `/containers/${id}/wait`);
    });
    await target.call("DELETE", `/containers/${id}`);
    return took;
  },
});

const statsRow: Row = {
  name: "stats of a container, one shot",
  unit: "ms",
  rounds: 100,
  budget: 1,
  async setup(target) {
    await createStarted(target, "stats", ["sleep", "600"]);
  },
  measure: (target) => timed(async () => void (await target.call("GET", `/containers/${prefix}stats/stats?stream=0&one-shot=1`))),
  teardown: removeAll,
};

const inspectRow: Row = {
  name: "inspect of a container",
  unit: "ms",
  rounds: 400,
  budget: 1,
  async setup(target) {
    await createStarted(target, "inspect", ["sleep", "600"]);
  },
  measure: (target) => timed(async () => void (await target.call("GET", `/containers/${prefix}inspect/json`))),
  teardown: removeAll,
};

export const rows: readonly Row[] = [
  memoryRow("memory idle", 0, (use) => use.bytes, 0.8),
  memoryRow("memory idle that no file backs", 0, (use) => use.anonymousBytes),
  runRow("bridge"),
  runRow("none"),
  parallelRow,
  execRow,
  endRow("stop + wait", (id) => `/containers/${id}/stop`, 0.3),
  endRow("kill + wait", (id) => `/containers/${id}/kill`, 0.3),
  listRow,
  inspectRow,
  statsRow,
  memoryRow("memory", 20, (use) => use.bytes, 0.35),
  memoryRow("memory that no file backs", 20, (use) => use.anonymousBytes),
  memoryPerContainerRow,
  logsRow,
  attachRow,
];
