import type { MachinePhase } from "#api/machine.ts";
import type { Settings } from "#bridge/bridge.ts";
import type { Happening, RunningContainer } from "#host/happenings.ts";

/** What the shell tells the host core's process. A port comes along with `port`. */
export type ToHost =
  | { readonly kind: "port" }
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  | { readonly kind: "stopContainer"; readonly id: string }
  | { readonly kind: "quit" };

/** What of the settings the shell acts on. */
export type ShellSettings = Pick<Settings, "theme" | "language" | "tray" | "onClose" | "notify">;

/** What the host core's process tells the shell. */
export type FromHost =
  | { readonly kind: "machine"; readonly phase: MachinePhase; readonly problem?: string }
  | { readonly kind: "settings"; readonly settings: ShellSettings }
  | { readonly kind: "containers"; readonly running: readonly RunningContainer[] }
  | { readonly kind: "happened"; readonly happening: Happening }
  /** The host core could not be opened: trying again cannot help before something is changed. */
  | { readonly kind: "failed"; readonly message: string };

/** How the host core's process is started: its only argument, as JSON. */
export interface HostArguments {
  readonly root?: string | undefined;
  readonly engine?: string | undefined;
  readonly driver?: string | undefined;
  readonly imagesDirectory: string;
  readonly version: string;
}
