import { silentJournal } from "../journal/journal.ts";
import type { State } from "../state/state.ts";
import { Bin } from "./bin.ts";
import type { TrashLimits } from "./keeper.ts";

/** A trash with all the room there is; nothing in it goes by itself. Without limits it keeps nothing. */
export function testBin(state: State, limits: TrashLimits = { days: 0, bytes: 0 }, clock = { isSettled: () => true }): Bin {
  const room = { totalBytes: 1, freeBytes: 1 };
  return new Bin({
    state,
    limits: () => limits,
    clock,
    room: () => Promise.resolve(room),
    sweep: () => Promise.resolve(),
    reclaimed: () => Promise.resolve(),
    journal: silentJournal,
  });
}
