import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDaemonFile, watchDaemonFile } from "./daemon-file.ts";

let directory: string;
let path: string;
const quiet = { debug: false };
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-daemon-"));
  path = join(directory, "daemon.json");
});
afterEach(async () => await rm(directory, { recursive: true }));

const read = async (text: string, flags = quiet) => {
  await writeFile(path, text);
  return await readDaemonFile({ path, required: false }, flags);
};

test("a file that is not there says nothing, unless it was asked for", async () => {
  expect(await readDaemonFile({ path, required: false }, quiet)).toEqual({ text: "", notices: [] });
  await expect(readDaemonFile({ path, required: true }, quiet)).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining(path) as string,
  });
});

test("broken JSON is refused with line and column, and left as it is", async () => {
  const broken = '{\n  "labels": ["a=b"],\n  "debug": tru\n}\n';
  await expect(read(broken)).rejects.toMatchObject({ class: "invalidArgument", message: expect.stringContaining("line 3, column 15") as string });
  expect(await readFile(path, "utf8")).toBe(broken);
  await expect(read("[]")).rejects.toThrow("it must be one JSON object");
  await expect(read("{} {}")).rejects.toThrow("more after the closing brace");
});

test("keys that mean nothing in a virtual machine are named and left out; all others are carried", async () => {
  const { text, notices } = await read('\uFEFF{ "data-root": "/x", "hosts": ["tcp://0.0.0.0:2376"], "labels": ["a=b"], "debug": true, "surprise": 1 }');
  expect(JSON.parse(text)).toEqual({ labels: ["a=b"], debug: true, surprise: 1 });
  expect(notices).toEqual([
    'daemon.json: "data-root" has no effect: the virtual machine has a data disk of its own',
    expect.stringMatching(/^daemon\.json: "hosts" has no effect: /) as string,
  ]);
});

test("a file that leaves nothing to say is not carried, and --debug wins over the file", async () => {
  expect((await read('{ "data-root": "/x" }')).text).toBe("");
  expect((await read("  ")).text).toBe("");
  expect(await read('{ "debug": false }', { debug: true })).toEqual({ text: "", notices: ['daemon.json: "debug" has no effect: --debug is given, and wins'] });
});

test("a change is noticed however an editor makes it, and other files are not", async () => {
  let changes = 0;
  using _watching = watchDaemonFile({ path, required: false }, () => changes++);
  const noticed = async (change: () => Promise<unknown>): Promise<void> => {
    const before = changes;
    await change();
    await expect.poll(() => changes, { timeout: 20_000 }).toBeGreaterThan(before);
  };
  await writeFile(join(directory, "other"), "x");
  await noticed(() => writeFile(path, "{}"));
  await noticed(async () => {
    await writeFile(join(directory, "new"), '{"debug":true}');
    await rename(join(directory, "new"), path);
  });
  await noticed(() => rm(path));
});
