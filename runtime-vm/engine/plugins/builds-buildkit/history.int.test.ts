import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { BuildHistory, type BuildRecord } from "./history.ts";
import { historyMethods } from "./history-calls.ts";
import { Reader, Writer } from "./proto.ts";
import { failureOf } from "./recording.ts";
import type { Call } from "./server.ts";
import { DetailedError } from "./status.ts";

function opened(): BuildHistory {
  const state = openSqliteState(":memory:");
  onTestFinished(() => state[Symbol.dispose]());
  return new BuildHistory(state);
}

const recordOf = (ref: string, more: Partial<BuildRecord> = {}): BuildRecord => ({
  ref,
  attributes: { target: "t" },
  exporters: [{ type: "image", attributes: { name: "n" } }],
  created: new Date().toISOString(),
  told: {},
  results: {},
  documents: {},
  steps: { total: 2, completed: 2, cached: 1, warnings: 0 },
  pinned: false,
  ...more,
});
const completed = (): { completed: string } => ({ completed: new Date().toISOString() });

/** Calls a method; what it sent. */
async function asked(history: BuildHistory, path: string, message: Writer): Promise<Reader[]> {
  const sent: Reader[] = [];
  const method = historyMethods(history, { open: () => unexpected(), sizeOf: () => undefined })[path];
  const call: Call = {
    headers: {},
    messages: (async function* () {})(),
    request: () => Promise.resolve(message.done()),
    send: (bytes) => Promise.resolve(void sent.push(new Reader(Buffer.from(bytes)))),
    signal: AbortSignal.abort(),
  };
  await method?.(call);
  return sent;
}
const unexpected = (): never => {
  throw new Error("nothing is read");
};
const control = "/moby.buildkit.v1.Control";

test("a build is told of while it runs, when it has ended and when it is forgotten", () => {
  const history = opened();
  const told: string[] = [];
  using _listening = history.listen(({ kind, record }) => void told.push(`${kind} ${record.ref}`));
  history.begin(recordOf("a"));
  expect(history.list().map(({ kind }) => kind)).toEqual(["started"]);
  expect(history.remove("a")).toBe(false);
  history.end(recordOf("a", completed()), [Buffer.from("one"), Buffer.from("two")]);
  expect(history.list().map(({ kind }) => kind)).toEqual(["complete"]);
  expect(history.updates("a")?.map(String)).toEqual(["one", "two"]);
  expect(history.remove("a")).toBe(true);
  expect(told).toEqual(["started a", "complete a", "deleted a"]);
  expect(history.updates("a")).toBeUndefined();
});

test("fifty builds are kept, and those that are pinned", () => {
  const history = opened();
  for (let n = 0; n < 60; n += 1) {
    history.end(recordOf(`r${n}`, { ...completed(), created: new Date(Date.now() + n).toISOString() }), []);
    if (n === 0) history.pin("r0", true);
  }
  const kept = history.list().map(({ record }) => record.ref);
  expect(kept).toEqual(["r0", ...Array.from({ length: 50 }, (_, i) => `r${i + 10}`)]);
});

test("a client reads a record, and the statement it names", async () => {
  const history = opened();
  const digest = `sha256:${"a".repeat(64)}` as const;
  const attestations = [{ mediaType: "application/vnd.in-toto+json", digest, size: 4, annotations: { "in-toto.io/predicate-type": "p" } }];
  history.end(recordOf("a", { ...completed(), results: { "": { attestations } }, documents: { [digest]: "told" } }), []);
  history.end(recordOf("b", { ...completed(), error: { code: 2, message: "no" } }), []);
  const [event] = await asked(history, `${control}/ListenBuildHistory`, new Writer().text(2, "a").bool(3, true));
  const record = event?.message(2);
  expect([event?.int(1), record?.text(1), record?.map(3).get("target"), record?.int(15), record?.int(16)]).toEqual([1, "a", "t", 1, 2]);
  expect(record?.message(10).message(2).text(2)).toBe(digest);
  const all = await asked(history, `${control}/ListenBuildHistory`, new Writer().bool(3, true));
  expect(all.map((one) => one.message(2).message(5).text(2))).toEqual(["", "no"]);
  const read = await asked(history, "/containerd.services.content.v1.Content/Read", new Writer().text(1, digest).int(2, 1).int(3, 2));
  expect(read.map((one) => [one.int(1), one.text(2)])).toEqual([[1, "ol"]]);
  await expect(asked(history, `${control}/ListenBuildHistory`, new Writer().text(2, "zzz").bool(3, true))).rejects.toThrow("failed to load ref");
  // How a client finds out that there is a history at all.
  expect(await asked(history, `${control}/ListenBuildHistory`, new Writer().bool(1, true).text(2, "zzz").bool(3, true))).toEqual([]);
});

test("what the display was told is a blob of the record's, each message after its length", async () => {
  const history = opened();
  history.end(recordOf("a", completed()), [Buffer.from("one"), Buffer.from("seven..")]);
  const [event] = await asked(history, `${control}/ListenBuildHistory`, new Writer().text(2, "a").bool(3, true));
  const logs = event?.message(2).message(8);
  expect([logs?.text(1), logs?.int(3)]).toEqual(["application/vnd.buildkit.status.v0", 18]);
  const [blob] = await asked(history, "/containerd.services.content.v1.Content/Read", new Writer().text(1, logs?.text(2) ?? ""));
  expect(blob?.bytes(2).toString("latin1")).toBe("\x03\0\0\0one\x07\0\0\0seven..");
  expect(logs?.text(2)).toBe(
    `sha256:${createHash("sha256")
      .update(blob?.bytes(2) ?? "")
      .digest("hex")}`,
  );
});

test("the error of a build that failed is read with its details", async () => {
  const history = opened();
  const error = new DetailedError("exit code: 1", [{ url: "github.com/moby/buildkit/errdefs.Source", json: { ranges: [] } }]);
  history.end(recordOf("a", { ...completed(), ...failureOf(error) }), []);
  const [event] = await asked(history, `${control}/ListenBuildHistory`, new Writer().text(2, "a").bool(3, true));
  const digest = event?.message(2).message(18).text(2) ?? "";
  const [blob] = await asked(history, "/containerd.services.content.v1.Content/Read", new Writer().text(1, digest));
  const status = new Reader(blob?.bytes(2) ?? Buffer.alloc(0));
  expect([status.int(1), status.text(2), status.message(3).text(1)]).toEqual([2, "exit code: 1", "github.com/moby/buildkit/errdefs.Source"]);
});

test("a client forgets a build", async () => {
  const history = opened();
  history.end(recordOf("a", completed()), []);
  await asked(history, `${control}/UpdateBuildHistory`, new Writer().text(1, "a").bool(3, true));
  expect(history.list()).toEqual([]);
  await expect(asked(history, `${control}/UpdateBuildHistory`, new Writer().text(1, "a").bool(3, true))).rejects.toThrow("failed to retrieve ref a: not found");
});
