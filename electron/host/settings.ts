import { rename, stat } from "node:fs/promises";
import { cpus, homedir, totalmem } from "node:os";
import * as v from "valibot";
import { EngineError, messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Settings } from "#bridge/bridge.ts";
import { parse, settingsSchema } from "#bridge/schemas.ts";
import { guestPath } from "#machine/files.ts";
import { readJsonObject, writeAtomically } from "./files.ts";

/** What this computer can give a virtual machine. */
export interface Capacity {
  readonly memoryMiB: number;
  readonly cpus: number;
  /** The person's own folder. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

export const thisComputer = (): Capacity => ({
  memoryMiB: Math.floor(totalmem() / 1024 / 1024),
  cpus: cpus().length,
  home: homedir(),
  platform: process.platform,
});

/** Half the memory up to 4 GiB, and up to four processors: enough for most work, never a burden. */
export const defaultSettings = (capacity: Capacity): Settings => ({
  theme: "system",
  language: "system",
  memoryMiB: Math.max(512, Math.min(4096, Math.floor(capacity.memoryMiB / 2))),
  cpus: Math.max(1, Math.min(4, capacity.cpus)),
  diskGiB: 64,
  folders: [capacity.home],
  hostAccess: true,
  tray: true,
  onClose: "hide",
  notify: ["exits", "health", "engine"],
  engines: [],
  contextAsked: false,
});

/** The settings file: read once, validated key by key, written whole. Keys it does not know are kept (a newer Slipway's). */
export class SettingsStore {
  readonly #path: string;
  readonly #capacity: Capacity;
  readonly #changed = new Emitter<Settings>();
  readonly #lock = new KeyedLock();
  readonly #unknown: Readonly<Record<string, unknown>>;
  #settings: Settings;
  /** What was wrong with the file, a sentence each; the defaults stand in for it. */
  readonly problems: readonly string[];

  private constructor(path: string, capacity: Capacity, settings: Settings, unknown: Readonly<Record<string, unknown>>, problems: readonly string[]) {
    this.#path = path;
    this.#capacity = capacity;
    this.#settings = settings;
    this.#unknown = unknown;
    this.problems = problems;
  }

  /** A file that is not JSON is put aside at `invalidPath` and the defaults are used: the app must open whatever happens. */
  static async open(path: string, invalidPath: string, capacity: Capacity): Promise<SettingsStore> {
    const problems: string[] = [];
    let stored: Record<string, unknown> = {};
    try {
      stored = (await readJsonObject(path)) ?? {};
    } catch (error) {
      await rename(path, invalidPath);
      problems.push(`${messageOf(error).split(":")[0]}; it was moved to ${invalidPath} and the defaults are used`);
    }
    const settings: Record<string, unknown> = { ...defaultSettings(capacity) };
    const unknown: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(stored)) {
      if (!Object.hasOwn(settingsSchema.entries, key)) unknown[key] = value;
      else
        try {
          Object.assign(settings, within(parse(v.partial(settingsSchema), { [key]: value }, path) as Partial<Settings>, capacity));
        } catch (error) {
          problems.push(`${messageOf(error)}; the default is used`);
        }
    }
    return new SettingsStore(path, capacity, settings as unknown as Settings, unknown, problems);
  }

  get defaults(): Settings {
    return defaultSettings(this.#capacity);
  }

  get current(): Settings {
    return this.#settings;
  }

  onChange(listener: (settings: Settings) => void): Disposable {
    return this.#changed.on(listener);
  }

  /** Changes some settings, durably. Class `invalidArgument`, naming the setting, when this computer cannot give what is asked. */
  async set(change: Partial<Settings>): Promise<Settings> {
    using _held = await this.#lock.acquire("file");
    const next = { ...this.#settings, ...within(change, this.#capacity) };
    await foldersExist(change.folders?.filter((folder) => !this.#settings.folders.includes(folder)) ?? []);
    await writeAtomically(this.#path, `${JSON.stringify({ ...this.#unknown, ...next }, undefined, 2)}\n`);
    this.#settings = next;
    this.#changed.fire(next);
    return next;
  }
}

async function foldersExist(folders: readonly string[]): Promise<void> {
  for (const folder of folders)
    if (
      !(await stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      ))
    )
      throw new EngineError("invalidArgument", `folders: there is no folder ${folder} on this computer`);
}

function within(change: Partial<Settings>, capacity: Capacity): Partial<Settings> {
  for (const [key, unit] of [
    ["memoryMiB", "MiB of memory"],
    ["cpus", "processors"],
  ] as const) {
    const asked = change[key];
    if (asked !== undefined && asked > capacity[key])
      throw new EngineError("invalidArgument", `${key}: this computer has ${capacity[key]} ${unit}, ${asked} were asked for`);
  }
  for (const folder of change.folders ?? []) {
    const path = guestPath(folder, capacity.platform);
    if (path === undefined || path === "/")
      throw new EngineError("invalidArgument", `folders: ${JSON.stringify(folder)} cannot be shared: name an absolute folder below the root`);
  }
  return change;
}
