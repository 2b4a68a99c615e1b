export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** `--gpus` and `--device VENDOR/CLASS=NAME`. */
export interface DeviceRequest {
  readonly Driver?: string;
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[] | null;
  readonly Capabilities?: readonly (readonly string[])[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface Resources {
  readonly CpuShares?: number;
  readonly Memory?: number;
  readonly MemoryReservation?: number;
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number | null;
  readonly NanoCpus?: number;
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly CpuPercent?: number;
  readonly CpuCount?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly { Path: string; Weight: number }[] | null;
  readonly BlkioDeviceReadBps?: readonly { Path: string; Rate: number }[] | null;
  readonly BlkioDeviceWriteBps?: readonly { Path: string; Rate: number }[] | null;
  readonly BlkioDeviceReadIOps?: readonly { Path: string; Rate: number }[] | null;
  readonly BlkioDeviceWriteIOps?: readonly { Path: string; Rate: number }[] | null;
  readonly Devices?: readonly { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[] | null;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly DeviceRequest[] | null;
  readonly OomKillDisable?: boolean | null;
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
}
