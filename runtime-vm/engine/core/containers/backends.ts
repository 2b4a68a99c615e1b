import type { State } from "../state/state.ts";
import type { Bin } from "../bin/bin.ts";
import type { EngineConfig } from "../config/config.ts";
import type { EventLog } from "../events/events.ts";
import type { ImageMaker, ImageResolver } from "../images/images.ts";
import type { Journal } from "../journal/journal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { LayerStore, Snapshotter } from "../layers/layers.ts";
import type { LogDriver } from "../logs/logs.ts";
import type { LogMemory } from "../logs/memory.ts";
import type { NetworkStore, Sandboxes } from "../networks/networks.ts";
import type { EnginePaths } from "../paths.ts";
import type { SpecBuilder } from "../specs/builder.ts";
import type { StatsReader } from "../stats/stats.ts";
import type { TaskRuntime } from "../tasks/tasks.ts";
import type { Trash } from "../trash/trash.ts";
import type { Userns } from "../userns/open.ts";
import type { VolumeStore } from "../volumes/volumes.ts";

/** What containers are made of: every other noun, through its interface. */
export interface ContainerBackends {
  readonly state: State;
  readonly images: ImageResolver & ImageMaker;
  readonly snapshots: Snapshotter;
  readonly layers: Pick<LayerStore, "unpackedSize">;
  readonly sandboxes: Sandboxes;
  readonly networks: Pick<NetworkStore, "inspect">;
  readonly volumes: VolumeStore;
  readonly specs: SpecBuilder;
  readonly tasks: TaskRuntime;
  /** By the name in `HostConfig.LogConfig.Type`. */
  readonly logs: ReadonlyMap<string, LogDriver>;
  readonly logMemory: LogMemory;
  readonly stats: StatsReader;
  readonly events: EventLog;
  readonly kernel: Pick<Kernel, "openInRoot" | "getxattrs" | "setxattr" | "mkfifo" | "mknod" | "mount" | "umount" | "mountsUnder">;
  readonly trash: Trash;
  /** What was removed and can be brought back. */
  readonly bin: Bin;
  readonly journal: Journal;
  /** Present where containers' users are mapped (`userns-remap`). */
  readonly userns?: Userns;
  readonly config: EngineConfig;
  readonly paths: EnginePaths;
}
