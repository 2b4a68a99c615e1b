import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { NetworkDriver } from "./driver.ts";
import type { Members } from "./members.ts";
import { linksOf, type SandboxFiles, type SandboxRecord } from "./sandbox-record.ts";
import type { SharedEndpoints } from "./shared-endpoints.ts";

interface DormantOptions {
  readonly files: SandboxFiles;
  readonly members: Members;
  readonly shared: SharedEndpoints;
  readonly driver: NetworkDriver;
  readonly netnsDir: string;
}

/** What an earlier engine left: sandboxes that hold their addresses until they are taken up again or cleared away. */
export class DormantSandboxes {
  readonly #options: DormantOptions;
  readonly #records = new Map<string, SandboxRecord>();

  /** Namespaces that no record names are removed at once. */
  constructor(options: DormantOptions) {
    this.#options = options;
    for (const record of options.files.all()) {
      this.#records.set(record.containerId, record);
      for (const endpoint of record.endpoints) {
        options.members.occupy(endpoint);
        options.shared.hold(endpoint);
      }
    }
    const known = new Set([...this.#records.values()].map(({ netns }) => netns));
    for (const name of readdirSync(options.netnsDir)) {
      const path = join(options.netnsDir, name);
      if (!known.has(path)) options.driver.removeSandbox(path, []);
    }
  }

  get size(): number {
    return this.#records.size;
  }

  get(containerId: string): SandboxRecord | undefined {
    return this.#records.get(containerId);
  }

  /** Somebody serves it again. */
  wake(containerId: string): void {
    this.#records.delete(containerId);
  }

  forget(containerId: string): void {
    const record = this.#records.get(containerId);
    if (record === undefined) return;
    this.#records.delete(containerId);
    this.drop(record);
  }

  forgetAll(): void {
    for (const containerId of [...this.#records.keys()]) this.forget(containerId);
  }

  /** Removes a sandbox that nothing serves any more. */
  drop(record: SandboxRecord): void {
    const { driver, members, files } = this.#options;
    if (record.netns !== undefined) driver.removeSandbox(record.netns, linksOf(record));
    for (const endpoint of record.endpoints) members.vacate(endpoint);
    files.remove(record.containerId);
  }
}
