import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Bin } from "#core/bin/bin.ts";
import type { TrashLimits } from "#core/bin/keeper.ts";
import { testBin } from "#core/bin/testing.ts";
import { silentJournal } from "#core/journal/journal.ts";
import { MNT } from "#core/kernel/kernel.ts";
import type { State } from "#core/state/state.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { LocalVolumes } from "./store.ts";

export const kernel = createKernel();
export let dir: string;
export let bin: Bin;
export let volumes: LocalVolumes;
let state: State;

/** With limits, what is removed is kept. */
function open(limits?: TrashLimits, clock?: { isSettled(): boolean }): void {
  state = openSqliteState(join(dir, "state.db"));
  bin = testBin(state, limits, clock);
  const trash = openTrash(join(dir, "trash"), () => {});
  const places = { directory: join(dir, "volumes"), kept: join(dir, "removed"), hostPrefix: join(dir, "host") };
  volumes = new LocalVolumes({ state, kernel, trash, bin, events: new MemoryEventLog(), journal: silentJournal, ...places });
}

/** As the next engine finds it. */
export function reopen(...by: Parameters<typeof open>): void {
  state[Symbol.dispose]();
  open(...by);
}

/** Before each test an empty store of volumes on a machine with a folder /srv/data, after it nothing. */
export function inOwnDirectory(): void {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "slipway-volumes-"));
    mkdirSync(join(dir, "host/srv/data"), { recursive: true });
    open();
  });
  afterEach(() => {
    state[Symbol.dispose]();
    for (const path of kernel.mountsUnder(dir)) kernel.umount(path, MNT.DETACH);
    rmSync(dir, { recursive: true, force: true });
  });
}
