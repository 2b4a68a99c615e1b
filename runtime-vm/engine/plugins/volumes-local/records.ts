/** What is written down of a volume, and what of it the API shows. */
import type { Volume, VolumeCreateRequest } from "#api/volumes.ts";
import { ANONYMOUS_LABEL } from "#core/volumes/request.ts";
import type { VolumeRecord } from "./table.ts";

/** Of a volume made now; one that was given no name is anonymous. */
export function newRecord(name: string, { Name, Labels, DriverOpts }: VolumeCreateRequest): VolumeRecord {
  const anonymous = (Name ?? "") === "";
  return {
    name,
    createdAt: seconds(new Date()),
    labels: Labels == null && !anonymous ? null : sorted({ ...Labels, ...(anonymous ? { [ANONYMOUS_LABEL]: "" } : {}) }),
    options: DriverOpts == null ? null : sorted(DriverOpts),
  };
}

/** Of data that was there without a record. */
export const adoptedRecord = (name: string, made: Date): VolumeRecord => ({ name, createdAt: seconds(made), labels: null, options: null });

export const shown = (record: VolumeRecord, mountpoint: string): Volume => ({
  CreatedAt: record.createdAt,
  Driver: "local",
  Labels: record.labels,
  Mountpoint: mountpoint,
  Name: record.name,
  Options: record.options,
  Scope: "local",
});

/** Go prints maps by key. */
const sorted = (map: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
const seconds = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "Z");
