export interface Volume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  CreatedAt: string;
  Labels: Record<string, string> | null;
  Scope: "local";
  Options: Record<string, string> | null;
  UsageData?: { Size: number; RefCount: number };
}
export interface VolumeCreateRequest {
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** What a volume held at a moment, beyond Docker's API. */
export interface VolumeSnapshot {
  readonly Name: string;
  /** RFC 3339. */
  readonly CreatedAt: string;
}
