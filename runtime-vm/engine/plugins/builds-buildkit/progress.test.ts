import { expect, test } from "vitest";
import { Progress } from "./progress.ts";
import { Reader } from "./proto.ts";

async function names(updates: AsyncIterable<Buffer>): Promise<string[]> {
  const seen: string[] = [];
  for await (const update of updates) seen.push(...new Reader(update).messages(1).map((vertex) => vertex.text(3)));
  return seen;
}

test("whoever follows a build later hears all of it, while it runs and when it is over", async () => {
  const progress = new Progress();
  const first = names(progress.follow());
  progress.vertex("one").done();
  const second = names(progress.follow());
  await Promise.resolve();
  progress.vertex("two").done();
  progress.end();
  const all = ["one", "one", "two", "two"];
  expect(await Promise.all([first, second, names(progress.follow())])).toEqual([all, all, all]);
});
