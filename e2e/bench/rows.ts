import type { Duplex, Readable } from "node:stream";
import type { Target } from "./target.ts";

/** One line of the table: what is measured, in which unit, and what DESIGN asks of ours against a reference dockerd. */
export interface Row {
  readonly name: string;
  readonly unit: "ms" | "MB/s" | "MB";
  readonly rounds: number;
  /** Ratio ours/reference that is asked for; for rates at least, for the rest at most. */
  readonly budget?: number;
  setup?(target: Target): Promise<void>;
  measure(target: Target, round: number): Promise<number | undefined>;
  teardown?(target: Target): Promise<void>;
}

const image = "slipway-bench:latest";
const prefix = "slipway-bench-";

export const removeAll = async (target: Target): Promise<void> => {
  const found = await target.call<{ Id: string; Names: string[] }[]>("GET", "/containers/json?all=1");
  for (const c of found) if (c.Names.some((n) => n.startsWith(`/${prefix}`))) await target.call("DELETE", `/containers/${c.Id}?force=1&v=1`);
};

async function create(target: Target, name: string, command: readonly string[], extra: Record<string, unknown> = {}): Promise<string> {
  const { Id } = await target.call<{ Id: string }>("POST", `/containers/create?name=${prefix}${name}`, { Image: image, Cmd: command, ...extra });
  return Id;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function drain(stream: Readable | Duplex): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += (chunk as Buffer).length;
  return bytes;
}

const runRow = (network: string): Row => ({
  name: `create + start + wait + rm, network ${network}`,
  unit: "ms",
  rounds: 15,
  ...(network === "bridge" ? { budget: 0.15 } : {}),
  measure: (target, round) =>
    timed(async () => {
      const id = await create(target, `run-${round}`, ["true"], { HostConfig: { NetworkMode: network } });
      await target.call("POST", `/containers/${id}/start`);
      await target.call("POST", `/containers/${id}/wait`);
      await target.call("DELETE", `/containers/${id}`);
    }),
});

const execIds = new WeakMap<Target, string>();

const execRow: Row = {
  name: "exec true",
  unit: "ms",
  rounds: 15,
  budget: 0.35,
  async setup(target) {
    const id = await create(target, "exec", ["sleep", "600"]);
    await target.call("POST", `/containers/${id}/start`);
    execIds.set(target, id);
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

/** Pulls by tag and removes again; registry and repository are the caller's. */
export const pullRow = (name: string, reference: () => string, budget: number): Row => ({
  name,
  unit: "ms",
  rounds: 3,
  budget,
  async measure(target) {
    const took = await timed(async () => {
      const text = await target.call<string>("POST", `/images/create?fromImage=${encodeURIComponent(reference())}`);
      if (JSON.stringify(text).includes("errorDetail")) throw new Error(`${target.label}: pull ${reference()}: ${JSON.stringify(text).slice(-300)}`);
    });
    await target.call("DELETE", `/images/${reference()}?force=1`);
    return took;
  },
});

const writer = (megabytes: number): readonly string[] => [
  "sh",
  "-c",
  `yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -c ${megabytes * 1_000_000}`,
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
      const bytes = await drain(await target.response("GET", `/containers/${id}/logs?follow=1&stdout=1`));
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
    const stream = await target.hijack(`/containers/${id}/attach?stream=1&stdout=1`);
    const took = await timed(async () => {
      await target.call("POST", `/containers/${id}/start`);
      const bytes = await drain(stream);
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

const memoryRow = (containers: number, budget: number): Row => ({
  name: containers === 0 ? "memory idle (PSS)" : `memory with ${containers} containers (PSS)`,
  unit: "MB",
  rounds: 1,
  budget,
  async measure(target) {
    for (let i = 0; i < containers; i += 1) await target.call("POST", `/containers/${await create(target, `mem-${i}`, ["sleep", "600"])}/start`);
    const bytes = target.memory();
    return bytes === undefined ? undefined : bytes / 1_000_000;
  },
  teardown: removeAll,
});

export const rows: readonly Row[] = [memoryRow(0, 0.8), runRow("bridge"), runRow("none"), execRow, listRow, memoryRow(20, 0.35), logsRow, attachRow];
