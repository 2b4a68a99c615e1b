// @vitest-environment node
import { afterEach, expect, test } from "vitest";
import { frame } from "#api/stdcopy.ts";
import type { BridgeStream } from "#bridge/bridge.ts";
import type { Engine } from "#renderer/core/engine/engine.ts";
import { visibility } from "#renderer/core/visibility.ts";
import { createLogKeeper } from "./keeper.ts";
import { type FromLogs, serveLogs, type ToLogs } from "./server.ts";
import { containerLog, type LogView, openLogs } from "./session.ts";

afterEach(() => visibility.setState({ seen: true }));

/** The worker's own code on this thread, joined by messages as a worker is. */
function localWorker() {
  let toServer: (message: ToLogs) => void = () => undefined;
  let toView: (message: FromLogs) => void = () => undefined;
  serveLogs({ post: (message) => queueMicrotask(() => toView(message)), listen: (take) => (toServer = take) });
  return {
    post: (message: ToLogs) => queueMicrotask(() => toServer(message)),
    listen: (take: (message: FromLogs) => void) => (toView = take),
    close: () => undefined,
  };
}

const line = (second: number, text: string): Uint8Array => frame("stdout", new TextEncoder().encode(`2026-01-02T03:04:0${second}.000000000Z ${text}\n`));

function engineWith(runs: readonly (readonly Uint8Array[])[]) {
  const asked: object[] = [];
  const logs = (_id: string, options: object): Promise<Partial<BridgeStream>> => {
    const run = runs[asked.length] ?? [];
    asked.push(options);
    return Promise.resolve({
      bytes: (async function* () {
        yield* run;
      })(),
    });
  };
  return { asked, engine: { containers: { logs } } as unknown as Pick<Engine, "containers"> };
}

const until = (session: ReturnType<typeof openLogs>, done: (view: LogView) => boolean): Promise<LogView> =>
  new Promise((resolve) => {
    const check = (view: LogView): void => {
      if (done(view)) resolve(view);
    };
    session.view.subscribe(check);
    check(session.view.getState());
  });

test("lines flow from the stream through the worker to the rows that are asked for", async () => {
  const { engine } = engineWith([[line(1, "alpha"), line(2, "beta")]]);
  using session = openLogs(containerLog(engine, "c1"), localWorker());
  session.follow("frames");
  await until(session, ({ phase, totals }) => phase.kind === "ended" && totals.lines === 2);
  const { rows } = await session.ask({ type: "rows", from: 0, count: 10 });
  expect(rows.map(({ text }) => text)).toEqual(["alpha", "beta"]);
  session.search("BETA");
  await until(session, ({ query, totals }) => query === "BETA" && totals.matches === 1);
  expect(await session.ask({ type: "match", line: -1, direction: 1 })).toEqual({ line: 1, row: 1, index: 1 });
  expect(await session.ask({ type: "text", bytesMax: 100 })).toBe("alpha\nbeta\n");
});

test("a container that starts again goes on after the last line, and nothing comes twice", async () => {
  const { engine, asked } = engineWith([[line(1, "first run")], [line(5, "second run")]]);
  using session = openLogs(containerLog(engine, "c1"), localWorker());
  session.follow("frames");
  await until(session, ({ phase, totals }) => phase.kind === "ended" && totals.lines === 1);
  session.follow("frames");
  await until(session, ({ totals }) => totals.lines === 2);
  expect(asked).toEqual([{ tail: 1_000_000 }, { since: "1767323041.000000001" }]);
});

test("a log that cannot be read says why, and can be asked for again", async () => {
  const engine = { containers: { logs: () => Promise.reject(new Error("configured logging driver does not support reading")) } };
  using session = openLogs(containerLog(engine as unknown as Pick<Engine, "containers">, "c1"), localWorker());
  session.follow("frames");
  const { phase } = await until(session, (view) => view.phase.kind === "failed");
  expect(phase).toMatchObject({ kind: "failed", error: { message: /does not support reading/ } });
});

test("a log that was left is found again as it was, and is not read a second time", async () => {
  const { engine, asked } = engineWith([[line(1, "once")]]);
  const logs = createLogKeeper(engine, localWorker);
  const first = logs.borrow("c1");
  first.session.follow("frames");
  await until(first.session, ({ totals }) => totals.lines === 1);
  first[Symbol.dispose]();
  using again = logs.borrow("c1");
  expect(again.session).toBe(first.session);
  expect(again.session.view.getState().totals.lines).toBe(1);
  expect(asked).toHaveLength(1);
});

test("of the logs that were left, the oldest goes when there are too many; one that is looked at stays", () => {
  const closed: string[] = [];
  const { engine } = engineWith([]);
  let name = "";
  const logs = createLogKeeper(
    engine,
    () => ({
      ...localWorker(),
      close: (
        (mine) => () =>
          closed.push(mine)
      )(name),
    }),
    { bytesMax: 1e9, sessionsMax: 1 },
  );
  const borrow = (container: string) => logs.borrow((name = container));
  using _looking = borrow("a");
  for (const container of ["b", "c", "d"]) borrow(container)[Symbol.dispose]();
  expect(closed).toEqual(["b", "c"]);
});

test("logs that were left give their memory back beyond the limit", async () => {
  const { engine } = engineWith([[line(1, "one")]]);
  const closed: string[] = [];
  const logs = createLogKeeper(engine, () => ({ ...localWorker(), close: () => closed.push("closed") }), { bytesMax: 1000, sessionsMax: 9 });
  const loan = logs.borrow("a");
  loan.session.follow("frames");
  await until(loan.session, ({ totals }) => totals.lines === 1);
  expect(closed).toEqual([]);
  loan[Symbol.dispose]();
  expect(closed).toEqual(["closed"]);
});

test("the log of a deleted container goes once nobody looks at it", () => {
  const { engine } = engineWith([]);
  const closed: string[] = [];
  const logs = createLogKeeper(engine, () => ({ ...localWorker(), close: () => closed.push("closed") }));
  const loan = logs.borrow("a");
  logs.forget("a");
  expect(closed).toEqual([]);
  loan[Symbol.dispose]();
  expect(closed).toEqual(["closed"]);
});

test("a hidden window takes no bytes, and none is lost", async () => {
  const pieces = [line(1, "seen"), line(2, "unseen"), line(3, "seen again")];
  let given = 0;
  const bytes = (async function* () {
    for (const piece of pieces) {
      given += 1;
      yield piece;
      if (given === 1) visibility.setState({ seen: false });
    }
  })();
  using session = openLogs(() => Promise.resolve({ bytes }), localWorker());
  session.follow("frames");
  await until(session, ({ totals }) => totals.lines === 2);
  // However long it waits, what was handed over when the window went out of sight is the last.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(given).toBe(2);
  visibility.setState({ seen: true });
  await until(session, ({ phase, totals }) => phase.kind === "ended" && totals.lines === 3);
});
