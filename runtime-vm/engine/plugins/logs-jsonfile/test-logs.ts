import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, vi } from "vitest";
import type { ContainerLog, LogQuery } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { createLogDrivers, type LogDrivers } from "./drivers.ts";
import { subject } from "./test-subject.ts";

/** The logs of container c1, in a directory of its own for each test. */
export interface TestLogs {
  readonly directory: string;
  readonly reports: readonly string[];
  open(options?: Record<string, string>, driver?: keyof LogDrivers): Promise<ContainerLog>;
  remove(): Promise<void>;
}

/** For the tests of the file that calls it. */
export function testLogs(): TestLogs {
  // Each test starts a thread: on a busy machine that alone takes seconds.
  vi.setConfig({ testTimeout: 60_000 });
  let directory: string;
  let made: ReturnType<typeof createLogDrivers>;
  let reports: string[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "slipway-logs-"));
    reports = [];
    made = createLogDrivers({ directory, report: (line) => void reports.push(line) });
  });
  afterEach(async () => {
    await made[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return {
    get directory() {
      return directory;
    },
    get reports() {
      return reports;
    },
    open: (options = {}, driver = "json-file") => made.drivers[driver].open(subject("c1"), options),
    remove: () => made.drivers["json-file"].remove("c1"),
  };
}

export const all: LogQuery = { stdout: true, stderr: true, follow: false, signal: new AbortController().signal };

export async function texts(log: ContainerLog, query: Partial<LogQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of log.read({ ...all, ...query })) found.push(chunk.bytes.toString());
  return found;
}

export const output = (...pieces: string[]): TaskStdio => spooled({ stdout: Readable.from(pieces.map((piece) => Buffer.from(piece))) });

export const lines = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}\n`);

/** Logs these lines, as of one process. */
export async function numbered(log: ContainerLog, from: number, to: number): Promise<void> {
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  for (const line of lines(from, to)) if (!stdout.write(line)) await new Promise((resolve) => stdout.once("drain", resolve));
  stdout.end();
  await consumed;
}

/** Descriptors of this process below `directory`. */
export function openFilesIn(directory: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;
}
