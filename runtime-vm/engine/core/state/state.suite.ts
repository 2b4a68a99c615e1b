import { expect, test } from "vitest";
import type { State } from "./state.ts";

/** What any State keeps. `open` is called again on the same place after `close`, as after a crash. */
export function stateSuite(name: string, make: () => { open: () => State; remove: () => void }): void {
  const place = make();
  const using = (work: (state: State) => void): void => {
    using state = place.open();
    state.define("CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, n INTEGER, b BLOB)");
    work(state);
  };

  test(`${name}: what a transaction wrote is there after opening again`, () => {
    using((state) => state.transaction(() => state.prepare("INSERT INTO things VALUES (?, ?, ?)").run("a", 1, new Uint8Array([7]))));
    using((state) => {
      const row = state.prepare<{ id: string; n: number; b: Uint8Array }>("SELECT * FROM things WHERE id = ?").get("a");
      expect(row).toMatchObject({ id: "a", n: 1 });
      expect([...(row?.b ?? [])]).toEqual([7]);
    });
  });

  test(`${name}: a transaction that throws leaves nothing, also of the ones inside it`, () => {
    using((state) => {
      const insert = state.prepare("INSERT INTO things VALUES (?, ?, ?)");
      const failing = () =>
        state.transaction(() => {
          insert.run("b", 1, null);
          state.transaction(() => insert.run("c", 1, null));
          throw new Error("no");
        });
      expect(failing).toThrow("no");
      expect(state.prepare("SELECT id FROM things WHERE id IN ('b', 'c')").all()).toEqual([]);
      insert.run("b", 2, null);
      expect(state.prepare<{ n: number }>("SELECT n FROM things WHERE id = 'b'").get()).toEqual({ n: 2 });
    });
  });

  test(`${name}: a relaxed transaction is as whole as any other`, () => {
    using((state) => {
      const insert = state.prepare("INSERT INTO things VALUES (?, ?, ?)");
      state.relaxed(() => insert.run("r", 1, null));
      const failing = () =>
        state.relaxed(() => {
          insert.run("s", 1, null);
          throw new Error("no");
        });
      expect(failing).toThrow("no");
    });
    using((state) => expect(state.prepare("SELECT id FROM things WHERE id IN ('r', 's')").all()).toEqual([{ id: "r" }]));
  });

  test(`${name}: any number may wait at once for what they wrote to be on the disk`, async () => {
    using state = place.open();
    const insert = state.prepare("INSERT INTO things VALUES (?, ?, ?)");
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        state.relaxed(() => insert.run(`many${i}`, i, null));
        await state.settled();
      }),
    );
    expect(state.prepare("SELECT id FROM things WHERE id LIKE 'many%'").all()).toHaveLength(50);
  });

  test(`${name}: a broken rule throws and changes nothing`, () => {
    using((state) => {
      expect(() => state.prepare("INSERT INTO things VALUES ('a', 9, NULL)").run()).toThrow(/UNIQUE/);
      expect(state.prepare<{ n: number }>("SELECT n FROM things WHERE id = 'a'").get()).toEqual({ n: 1 });
      expect(state.prepare("DELETE FROM things WHERE id = 'zzz'").run()).toEqual({ changes: 0 });
    });
    place.remove();
  });
}
