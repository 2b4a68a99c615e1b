/** What dockerd checks of a volume before it is made, in its words. */
import { EngineError, messageOf } from "#base/errors.ts";
import { parseRamSize } from "../containers/units.ts";

export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

const bad = (name: string, what: string): EngineError => new EngineError("invalidArgument", `create ${name}: ${what}`);

export function checkVolumeName(name: string): void {
  if (name.length === 1) throw bad(name, "volume name is too short, names should be at least two alphanumeric characters");
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  throw bad(
    name,
    `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

export function checkVolumeDriver(name: string, driver: string): void {
  if (driver === "" || driver === "local") return;
  throw new EngineError("notFound", `create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`);
}

/** Which other options each one needs. */
const NEEDS: Readonly<Record<string, readonly string[]>> = { type: ["device"], device: ["type"], o: ["device", "type"], size: [] };

/** How much may be in the volume; 0: as much as there is. */
export function volumeBytes(name: string, { size }: Readonly<Record<string, string>>): number {
  if (size === undefined) return 0;
  try {
    return parseRamSize(size);
  } catch (cause) {
    throw new EngineError("invalidArgument", `create ${name}: ${messageOf(cause)}`, { cause });
  }
}

export const noQuota = (name: string, cause: unknown): EngineError =>
  new EngineError("invalidArgument", `create ${name}: quota size requested but no quota support`, { cause });

export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) if (!Object.hasOwn(NEEDS, key)) throw bad(name, `invalid option: ${JSON.stringify(key)}`);
  volumeBytes(name, options);
  for (const [key, needed] of Object.entries(NEEDS)) {
    if (options[key] === undefined) continue;
    for (const other of needed) if (options[other] === undefined) throw bad(name, `missing required option: ${JSON.stringify(other)}`);
  }
}
