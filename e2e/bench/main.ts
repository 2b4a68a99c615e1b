import { mkdtempSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { bareRun } from "./bare.ts";
import { forwardOutcomes } from "./forwards.ts";
import { median, type Outcome, report } from "./outcomes.ts";
import { removeAll, type Row } from "./row.ts";
import { bareRow, rows } from "./rows.ts";
import { buildRows } from "./rows-build.ts";
import { imageRows } from "./rows-images.ts";
import { keepingRows } from "./rows-keeping.ts";
import { networkRows } from "./rows-network.ts";
import { searchRows } from "./rows-search.ts";
import { startOutcomes } from "./starts.ts";
import { Target } from "./target.ts";
import { windowOutcomes } from "./window.ts";

// npm run bench -- [SOCKET[@NETNS]...] [--only TEXT]... [--no-images] [--start] [--forwards] [--window] [--json FILE]
// Rounds are interleaved over the sockets, medians compared; the last socket is what the others are measured against.
// --start measures starts, of ours and of the dockerd in e2e/reference: it starts and stops both itself.
// --forwards measures ports of a VM, which it boots, against those that QEMU forwards by itself.
// --window measures the window in a browser against fixed budgets, over an engine that is scripted.

const { values: flags, positionals } = commandLine();

const targets = positionals.map((spec) => new Target(spec));
const wanted = (row: Row): boolean => flags.only === undefined || flags.only.some((text) => row.name.includes(text));
const outcomes: Outcome[] = [];

if (targets.length > 0) {
  const archive = await dockerArchive([await busybox("slipway-bench:latest")]);
  for (const target of targets) {
    await removeAll(target);
    await target.call("POST", "/images/load?quiet=1", archive);
  }
  for (const row of [...rows, ...networkRows, ...buildRows, ...keepingRows, ...searchRows].filter(wanted)) await runRow(row);
  if (wanted(bareRow)) await bare();
  if (flags["no-images"] !== true) await images();
}
if (flags.start === true) outcomes.push(...(await startOutcomes()));
if (flags.forwards === true) outcomes.push(...(await forwardOutcomes()));
if (flags.window === true) outcomes.push(...(await windowOutcomes()));
report(
  targets.map((t) => t.label),
  outcomes,
  flags.json,
);

function commandLine() {
  try {
    const options = {
      only: { type: "string", multiple: true },
      "no-images": { type: "boolean" },
      start: { type: "boolean" },
      forwards: { type: "boolean" },
      window: { type: "boolean" },
      json: { type: "string" },
    } as const;
    const parsed = parseArgs({ allowPositionals: true, options });
    const { start, forwards, window } = parsed.values;
    if (parsed.positionals.length > 0 || [start, forwards, window].includes(true)) return parsed;
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error("usage: npm run bench -- [SOCKET[@NETNS]...] [--only TEXT]... [--no-images] [--start] [--forwards] [--window] [--json FILE]");
  process.exit(2);
}

/** A container's whole life on the first engine, over a bare run of the same by crun alone. */
async function bare(): Promise<void> {
  const [target] = targets;
  await using floor = target === undefined ? undefined : await bareRun(target);
  if (target === undefined || floor === undefined) return console.error(`${bareRow.name}: ${target?.label} is none of ours`);
  const [seen, floors]: [number[], number[]] = [[], []];
  for (let round = 0; round < bareRow.rounds; round += 1) {
    seen.push((await bareRow.measure(target, round)) ?? Number.NaN);
    floors.push(await floor.measure());
  }
  const against = median(floors);
  outcomes.push({ row: `${bareRow.name}, over a bare crun run of ${against.toFixed(1)} ms`, unit: "ms", values: [median(seen)], against, budget: 3 });
}

async function runRow(row: Row): Promise<void> {
  const seen = targets.map((): (number | undefined)[] => []);
  for (const target of targets) await row.setup?.(target);
  for (let round = 0; round < row.rounds; round += 1) for (const [i, target] of targets.entries()) seen[i]?.push(await row.measure(target, round));
  for (const target of targets) await row.teardown?.(target);
  const values = seen.map((list) => (list.includes(undefined) ? undefined : median(list as number[])));
  outcomes.push({ row: row.name, unit: row.unit, values, budget: row.budget, ...(row.against === undefined ? {} : { against: row.against }) });
  console.error(`${row.name}: ${values.map((v) => (v === undefined ? "-" : v.toFixed(1))).join(" / ")} ${row.unit}`);
}

async function images(): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync("/var/tmp/slipway-bench-");
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const { rows: found } = undo.use(await imageRows(targets, directory));
  for (const row of found.filter(wanted)) await runRow(row);
}
