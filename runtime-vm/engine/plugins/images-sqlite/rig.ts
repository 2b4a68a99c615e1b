import type { TrashLimits } from "#core/bin/keeper.ts";
import { openContent } from "#plugins/content-ocilayout/layout.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openLayers } from "#plugins/layers-erofs/layers.ts";
import { openRegistries } from "#plugins/registry-http/registries.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { openTestStore, type TestStore } from "./test-store.ts";

/** A store on the plugins that the engine has; without limits its trash keeps nothing. */
export const openStore = (limits?: TrashLimits): Promise<TestStore> =>
  openTestStore(
    {
      kernel: createKernel(),
      registries: openRegistries({ insecureRegistries: [], mirrors: [], userAgent: "test" }),
      events: () => new MemoryEventLog(),
      state: openSqliteState,
      trash: (directory) => openTrash(directory, () => {}),
      content: openContent,
      layers: openLayers,
    },
    limits,
  );
