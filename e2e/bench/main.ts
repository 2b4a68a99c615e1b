import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { delay } from "#base/deadline.ts";
import { busybox, busyboxLayer, dockerArchive, makeImage } from "../fixtures/image.ts";
import { startRegistry } from "../fixtures/registry.ts";
import { memoryAfterRow, pullRow, type Row, removeAll, rows } from "./rows.ts";
import { Target } from "./target.ts";

// npm run bench -- SOCKET[@NETNS] [SOCKET[@NETNS]...] [--only TEXT] [--no-pull] [--start 'LABEL=COMMAND'] [--json FILE]
// Rounds are interleaved over the sockets, medians compared; the last socket is what the others are measured against.
// --start measures a daemon's start: COMMAND runs in a shell with $ROOT (fresh) and $SOCKET set, once a round.

interface Outcome {
  readonly row: string;
  readonly unit: string;
  readonly values: readonly (number | undefined)[];
  readonly budget: number | undefined;
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, "no-pull": { type: "boolean" }, start: { type: "string", multiple: true }, json: { type: "string" } },
});
if (positionals.length === 0 && flags.start === undefined) {
  console.error("usage: npm run bench -- SOCKET[@NETNS] [SOCKET[@NETNS]...] [--only TEXT] [--no-pull] [--start 'LABEL=COMMAND'] [--json FILE]");
  process.exit(2);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const targets = positionals.map((spec) => new Target(spec));
const wanted = (row: Row): boolean => flags.only === undefined || row.name.includes(flags.only);
const outcomes: Outcome[] = [];

if (targets.length > 0) {
  const archive = await dockerArchive([await busybox("slipway-bench:latest")]);
  for (const target of targets) {
    await removeAll(target);
    await target.call("POST", "/images/load?quiet=1", archive);
  }
  for (const row of rows.filter(wanted)) await runRow(row);
  if (
    flags["no-pull"] !== true &&
    ["pull of 20,000 files", "pull of 300 MB", memoryAfterRow.name].some((name) => flags.only === undefined || name.includes(flags.only))
  )
    await pulls();
}
if (flags.start !== undefined) await starts(flags.start);
report();

async function runRow(row: Row): Promise<void> {
  const seen = targets.map((): (number | undefined)[] => []);
  for (const target of targets) await row.setup?.(target);
  for (let round = 0; round < row.rounds; round += 1) for (const [i, target] of targets.entries()) seen[i]?.push(await row.measure(target, round));
  for (const target of targets) await row.teardown?.(target);
  const values = seen.map((list) => (list.includes(undefined) ? undefined : median(list as number[])));
  outcomes.push({ row: row.name, unit: row.unit, values, budget: row.budget });
  console.error(`${row.name}: ${values.map((v) => (v === undefined ? "-" : v.toFixed(1))).join(" / ")} ${row.unit}`);
}

/** One registry a namespace, all with the same data, on the same port: every engine pulls the same name. */
async function pulls(): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const dir = mkdtempSync("/var/tmp/slipway-bench-");
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  const port = 15999;
  const many = Array.from({ length: 20_000 }, (_, i) => ({ name: `files/${Math.floor(i / 100)}/f${i}`, data: `${"x".repeat(i % 2000)}\n` }));
  const noise = Buffer.alloc(75_000_000);
  for (let i = 0; i + 4 <= noise.length; i += 4) noise.writeUInt32LE((Math.imul(i, 2_654_435_761) ^ (i >>> 3)) >>> 0, i);
  const big = Array.from({ length: 4 }, (_, i) => [{ name: `blob${i}`, data: Buffer.concat([Buffer.from([i]), noise]) }]);
  {
    await using seed = await startRegistry({ dir, port });
    await seed.push("bench/many", "v1", await makeImage("many", [busyboxLayer(), many]));
    await seed.push("bench/big", "v1", await makeImage("big", [busyboxLayer(), ...big]));
  }
  for (const netns of new Set(targets.map((t) => t.netns))) undo.use(await startRegistry({ dir, port, ...(netns === undefined ? {} : { netns }) }));
  const rowsOfPull = [
    pullRow("pull of 20,000 files", () => `127.0.0.1:${port}/bench/many:v1`, 0.4),
    pullRow("pull of 300 MB", () => `127.0.0.1:${port}/bench/big:v1`, 0.7),
    memoryAfterRow,
  ];
  for (const row of rowsOfPull.filter(wanted)) await runRow(row);
}

async function starts(commands: readonly string[]): Promise<void> {
  const seen = commands.map((): number[] => []);
  for (let round = 0; round < 3; round += 1) for (const [i, text] of commands.entries()) seen[i]?.push(await startOnce(text.slice(text.indexOf("=") + 1)));
  outcomes.push({ row: `start to ready (${commands.map((c) => c.slice(0, c.indexOf("="))).join(" / ")})`, unit: "ms", values: seen.map(median), budget: 0.3 });
}

async function startOnce(command: string): Promise<number> {
  const root = mkdtempSync("/var/tmp/slipway-start-");
  const socket = join(root, "docker.sock");
  mkdirSync(root, { recursive: true });
  const start = performance.now();
  const child = spawn("sh", ["-c", `exec ${command}`], { env: { ...process.env, ROOT: root, SOCKET: socket }, stdio: "ignore" });
  try {
    while (!(await pings(socket))) {
      if (child.exitCode !== null) throw new Error(`${command}: ended with ${child.exitCode} before it was ready`);
      await delay(5);
    }
    return performance.now() - start;
  } finally {
    const gone = new Promise<void>((done) => (child.exitCode !== null ? done() : child.once("exit", () => done())));
    child.kill("SIGTERM");
    await gone;
    rmSync(root, { recursive: true, force: true });
  }
}

const pings = (socket: string): Promise<boolean> =>
  new Promise((done) => {
    const sent = request({ socketPath: socket, path: "/_ping" }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    sent.on("error", () => done(false));
    sent.end();
  });

function report(): void {
  const labels = targets.map((t) => t.label);
  const table = outcomes.map((o) => {
    const reference = o.values.at(-1);
    const own = o.values[0];
    const ratio = o.values.length > 1 && own !== undefined && reference !== undefined ? own / reference : undefined;
    const met = ratio === undefined || o.budget === undefined ? undefined : o.unit === "MB/s" ? ratio >= o.budget : ratio <= o.budget;
    return { ...o, ratio, met };
  });
  console.log(`\n| row | ${labels.map((l) => `${l}`).join(" | ")} | first / last | budget |`);
  console.log(`|---|${labels.map(() => "---:").join("|")}|---:|---|`);
  for (const t of table) {
    const cells = t.values.map((v) => (v === undefined ? "-" : `${v.toFixed(1)} ${t.unit}`)).join(" | ");
    const budget = t.budget === undefined ? "" : `${t.unit === "MB/s" ? ">=" : "<="} ${t.budget}x${t.met === undefined ? "" : t.met ? " met" : " MISSED"}`;
    console.log(`| ${t.row} | ${cells} | ${t.ratio === undefined ? "" : `${t.ratio.toFixed(2)}x`} | ${budget} |`);
  }
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ labels, rows: table }, null, 2)}\n`);
}
