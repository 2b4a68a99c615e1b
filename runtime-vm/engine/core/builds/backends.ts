import type { Bin } from "../bin/bin.ts";
import type { EngineConfig } from "../config/config.ts";
import type { EventLog } from "../events/events.ts";
import type { ImageBuilder } from "../images/building.ts";
import type { ImageStore } from "../images/images.ts";
import type { Platform } from "../images/platform.ts";
import type { Journal } from "../journal/journal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Snapshotter } from "../layers/layers.ts";
import type { Sandboxes } from "../networks/networks.ts";
import type { EnginePaths } from "../paths.ts";
import type { Registries } from "../registry/registry.ts";
import type { SpecBuilder } from "../specs/builder.ts";
import type { State } from "../state/state.ts";
import type { TaskRuntime } from "../tasks/tasks.ts";
import type { Trash } from "../trash/trash.ts";
import type { Userns } from "../userns/open.ts";

/** What builds are made of. */
export interface BuildBackends {
  readonly state: State;
  readonly images: Pick<ImageStore, "resolve" | "pull" | "push" | "tag">;
  readonly builder: ImageBuilder;
  readonly registries: Pick<Registries, "open" | "openWriter">;
  readonly snapshots: Snapshotter;
  readonly sandboxes: Sandboxes;
  readonly specs: SpecBuilder;
  readonly tasks: TaskRuntime;
  readonly events: EventLog;
  readonly kernel: Pick<Kernel, "openInRoot" | "getxattrs" | "mount" | "umount" | "mountsUnder">;
  readonly trash: Trash;
  readonly bin: Bin;
  readonly journal: Journal;
  readonly config: EngineConfig;
  readonly paths: EnginePaths;
  /** Present where the users of containers, and of RUN, are mapped (`userns-remap`). */
  readonly userns?: Userns;
  /** The platform this engine runs on. */
  readonly host: Platform;
  /** The full id of a container, for `--network container:NAME`. */
  readonly containerId: (reference: string) => string;
}
