/**
 * What host and guest agree on before the engine runs. The guest's init reads the kernel command line and reports on
 * its console; the host (machine/) writes the one and reads the other.
 *
 *     slipway.share=TAG:TYPE:PATH   a shared folder, TYPE virtiofs or 9p, PATH percent-encoded: mount it at hostPrefix + PATH
 *     slipway.debug                 start the engine with --debug
 *     slipway.config                daemon.json is QEMU's firmware file `configFile`: give it to the engine
 *     slipway.owners                all of the shares' files belong to one user there: keep who owns them in the guest beside them
 *     slipway.emulated              no hardware runs this guest: what is cheap elsewhere is dear
 *
 * Console: `slipway-step: NAME ok MS` or `slipway-step: NAME fail MS REASON`, one line a finished step.
 * Disks are told apart by their serial (/sys/block/vd?/serial), never by their order.
 */
export const boot = {
  /** Names of the virtio-serial ports, /dev/virtio-ports/NAME. */
  ports: { link: "h2", ctl: "ctl" },
  /** Serials of the virtio-blk disks. */
  disks: { root: "slipway-root", data: "slipway-data" },
  /** Where the host's files appear in the guest; the engine's --host-prefix. */
  hostPrefix: "/host",
  shareKey: "slipway.share",
  debugKey: "slipway.debug",
  configKey: "slipway.config",
  configFile: "opt/slipway/daemon.json",
  emulatedKey: "slipway.emulated",
  /** The guest's own address in QEMU's user network, which always looks the same. */
  guestAddress: "10.0.2.15",
  /** All files of the shares belong to one user of the host: the guest keeps who owns them there. */
  ownersKey: "slipway.owners",
  /** Unix socket of who serves the shares in the guest: lines of JSON, a list of FileChange each. */
  sharesSocket: "/run/slipway-shares.sock",
} as const;

export interface Share {
  readonly tag: string;
  readonly type: "virtiofs" | "9p";
  /** Path as the guest sees it below hostPrefix: the host's own on Linux and macOS, `/mnt/c/...` for `C:\...`. */
  readonly path: string;
}

export const formatShare = (share: Share): string => `${boot.shareKey}=${share.tag}:${share.type}:${encodeURIComponent(share.path).replaceAll("%2F", "/")}`;

export interface GuestStep {
  readonly name: string;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly reason?: string;
}

/** How the engine says that it cannot start with its daemon.json: nothing but another file helps. */
export const configStep = "config";
export const formatConfigFailure = (reason: string): string => `slipway-step: ${configStep} fail 0 ${reason.replaceAll("\n", " ")}`;

/** A console line's step, undefined for any other line. */
export function parseStep(line: string): GuestStep | undefined {
  const match = /slipway-step: ([a-z0-9-]+) (ok|fail) (\d+)(?: (.*))?$/.exec(line.trim());
  if (!match) return undefined;
  const [, name = "", verdict, ms, reason] = match;
  return { name, ok: verdict === "ok", tookMs: Number(ms), ...(reason ? { reason } : {}) };
}
