import { statSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "#base/errors.ts";
import { parseNano } from "#core/clock/clock.ts";
import { Output } from "./search-output.ts";
import { blocksBackward, blocksForward, boundsOf, logFileNames, openSearchFiles, type SearchFile } from "./search-files.ts";
import { matcherOf, type MatchTerms } from "./search-matcher.ts";
import { BlockScanner, type Window } from "./search-scan.ts";

/** What a thread is started with. */
export interface SearchJob {
  readonly terms: MatchTerms;
  readonly window: Window;
  readonly limit: number;
  readonly backwards: boolean;
  /** Where a file was left is remembered, and a later round begins there. */
  readonly follow: boolean;
  /** Three numbers: bytes sent and not taken yet, steps made so far, and 1 while it waits for what was sent to be taken. */
  readonly control: Int32Array;
}

/** A container whose files are in `directory`. */
export interface SearchSource {
  readonly id: string;
  readonly name: string;
  readonly removed: boolean;
  readonly directory: string;
  readonly createdAt: string;
  /** Starts and ends, oldest first. */
  readonly marks: readonly SearchMark[];
}

export interface SearchMark {
  readonly time: string;
  readonly exitCode?: number;
}

export type SearchReply =
  | { readonly kind: "lines"; readonly bytes: Uint8Array }
  /** A round is over. */
  | { readonly kind: "done"; readonly sums: SearchSums };

export interface SearchSums {
  hits: number;
  containers: number;
  bytes: number;
  cpuMs: number;
  truncated: boolean;
  readonly unreadable: string[];
}

const port = parentPort;
if (!port) throw new Error("log-search.worker.ts runs as a worker thread only");

const job = workerData as SearchJob;
const scanner = new BlockScanner(matcherOf(job.terms), job.window);
const output = new Output(job.control, (bytes) => port.postMessage({ kind: "lines", bytes } satisfies SearchReply, [bytes.buffer as ArrayBuffer]));
const sums: SearchSums = { hits: 0, containers: 0, bytes: 0, cpuMs: 0, truncated: false, unreadable: [] };
/** By file: how far it was read. */
const positions = new Map<string, number>();
let rounds = 0;

port.on("message", (sources: readonly SearchSource[]) => {
  for (const source of newestFirst(sources)) {
    if (sums.truncated) break;
    search(source);
  }
  rounds += 1;
  output.flush();
  const { user, system } = process.threadCpuUsage();
  sums.cpuMs = Math.round((user + system) / 1_000);
  port.postMessage({ kind: "done", sums } satisfies SearchReply);
});

function newestFirst(sources: readonly SearchSource[]): SearchSource[] {
  const { untilNano } = job.window;
  const early = sources.filter(({ createdAt }) => untilNano === undefined || (parseNano(createdAt) ?? 0n) <= untilNano);
  return early
    .map((source) => ({ source, modifiedMs: lastWritten(source) }))
    .toSorted((a, b) => b.modifiedMs - a.modifiedMs)
    .map(({ source }) => source);
}

function lastWritten({ directory, id }: SearchSource): number {
  const newest = logFileNames(directory, id).at(-1);
  return newest === undefined ? 0 : (statSync(join(directory, newest), { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

function search(source: SearchSource): void {
  let files: SearchFile[];
  try {
    files = openSearchFiles(source.directory, source.id);
  } catch (error) {
    sums.unreadable.push(`${source.directory}: ${messageOf(error)}`);
    return;
  }
  if (files.length > 0 && rounds === 0) sums.containers += 1;
  output.begin(source, job.backwards);
  try {
    for (const file of job.backwards ? files.toReversed() : files) {
      if (sums.truncated) return;
      searchFile(file);
    }
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
}

function searchFile(file: SearchFile): void {
  const { sinceNano } = job.window;
  if (sinceNano !== undefined && BigInt(Math.ceil(file.modifiedMs) + slackMs) * 1_000_000n < sinceNano) return;
  // What is compressed now was read when it was not.
  if (file.compressed && rounds > 0) return;
  try {
    file.unpack();
    const [from, to] = range(file);
    const blocks = job.backwards ? blocksBackward(file, from, to) : blocksForward(file, from, to);
    for (;;) {
      const { value: block, done = false } = blocks.next();
      if (done || typeof block !== "object") {
        if (job.follow && typeof block === "number") positions.set(file.key, block);
        return;
      }
      step(block);
      if (sums.truncated) return;
    }
  } catch (error) {
    sums.unreadable.push(`${file.name}: ${messageOf(error)}`);
  }
}

/** A file's time is that of the machine's clock, a line's is never behind the line before it. */
const slackMs = 10_000;

function range(file: SearchFile): readonly [number, number] {
  const { sinceNano, untilNano } = job.window;
  const known = positions.get(file.key);
  const from = known ?? (sinceNano === undefined ? 0 : boundsOf(file, sinceNano).low);
  return [Math.min(from, file.size), untilNano === undefined ? file.size : boundsOf(file, untilNano + 1n).high];
}

function step(block: Buffer): void {
  Atomics.add(job.control, 1, 1);
  sums.bytes += block.length;
  for (const hit of scanner.found(block, job.limit - sums.hits, job.backwards)) {
    output.hit(hit);
    sums.hits += 1;
  }
  if (sums.hits >= job.limit) sums.truncated = true;
}
