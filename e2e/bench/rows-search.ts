import { delay } from "#base/deadline.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { processorMs } from "./processor.ts";
import { create, prefix, removeAll, type Row } from "./row.ts";
import type { Target } from "./target.ts";

const name = "million";
/** A program's lines, and one in the end that says something else. */
const million = ["sh", "-c", "yes 'worker 7 handled a request in 12 ms status=200' | head -n 1000000; echo the last words"];

const searchable = async (target: Target): Promise<boolean> => (await target.response("GET", "/slipway/logs/search?limit=1")).resume().statusCode === 200;

async function written(target: Target): Promise<void> {
  const id = await create(target, name, million);
  await target.call("POST", `/containers/${id}/start`);
  await target.call("POST", `/containers/${id}/wait`);
}

/** Processor time of the thread that searched, as its last message tells it. None of an engine that cannot search. */
const searchRow = (by: string, query: string): Row => ({
  name: `search of 1,000,000 log lines by ${by}, processor time`,
  unit: "ms",
  rounds: 5,
  async setup(target) {
    if (await searchable(target)) await written(target);
  },
  async measure(target) {
    if (!(await searchable(target))) return undefined;
    // By its id: those of earlier rows, which are removed, have the same name and are searched as well.
    const { Id } = await target.call<{ readonly Id: string }>("GET", `/containers/${prefix}${name}/json`);
    const answer = await target.response("GET", `/slipway/logs/search?container=${Id}&${query}`);
    const text = Buffer.concat(await answer.toArray()).toString("utf8");
    const last = JSON.parse(text.trim().split("\n").at(-1) ?? "") as {
      readonly End?: { readonly CpuMs: number; readonly Bytes: number; readonly Containers: number };
    };
    if (last.End?.Containers !== 1 || last.End.Bytes < 50_000_000) throw new Error(`${target.label}: the search ended with ${JSON.stringify(last)}`);
    return last.End.CpuMs;
  },
  teardown: removeAll,
});

const quietMs = 1_000;

/** What a follower more costs the whole engine while the lines are written: the same without it is taken off. */
const followRow: Row = {
  name: "search that follows 1,000,000 log lines, processor time",
  unit: "ms",
  rounds: 3,
  async measure(target) {
    if (!(await searchable(target))) return undefined;
    const pid = daemonOf(target.socket);
    if (pid === undefined) return undefined;
    const cost = async (): Promise<number> => {
      await removeAll(target);
      const before = processorMs(pid);
      await written(target);
      await delay(quietMs);
      return processorMs(pid) - before;
    };
    const without = await cost();
    const answer = await target.response("GET", `/slipway/logs/search?follow=1&text=the+last+words&since=${Math.floor(Date.now() / 1000)}`);
    const reading = answer.toArray().catch(() => []);
    const withIt = await cost();
    answer.destroy();
    await reading;
    return withIt - without;
  },
  teardown: removeAll,
};

export const searchRows: readonly Row[] = [
  searchRow("text", "text=the+last+words"),
  searchRow("text in any case", "text=THE+last+words&ignoreCase=1"),
  searchRow("expression", "regex=%5E(the%7Cno)%20(last%7Cfirst)"),
  searchRow("level", "level=error"),
  searchRow("field of JSON", "field=order.id=4711"),
  followRow,
];
