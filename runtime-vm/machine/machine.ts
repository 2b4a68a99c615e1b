import type { Duplex } from "node:stream";
import type { MachineStatus } from "#api/machine.ts";

/** Something that runs the engine and can be reached: a QEMU guest, a WSL2 distribution, this very Linux, or elsewhere. */
export interface Machine extends AsyncDisposable {
  readonly status: MachineStatus;
  onStatus(listener: (status: MachineStatus) => void): Disposable;
  /** Resolves when the engine answers `_ping`. Idempotent. */
  start(opts: { signal: AbortSignal }): Promise<void>;
  /** Containers get their stop signal and timeout, then the guest powers off. Idempotent. */
  stop(): Promise<void>;
  /** Deletes all that containers, images and volumes are kept in; the next start begins with nothing. Stops it first. Absent where that is not the machine's to delete. */
  erase?(): Promise<void>;
  /** A fresh byte stream to the engine's HTTP API. Class `unavailable` while it does not run. */
  connect(): Promise<Duplex>;
}
