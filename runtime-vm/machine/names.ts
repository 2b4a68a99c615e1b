import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The longest path a unix socket may have on every platform (macOS: 104 with its zero). */
const socketPathBytesMax = 103;

/** Every name the machine keeps under its root directory. */
export const machinePaths = (root: string, platform: NodeJS.Platform = process.platform) => {
  const run = runDirectory(root);
  // Windows' QEMU makes named pipes instead of unix sockets.
  const endpoint = (name: string): string => (platform === "win32" ? `slipway-${digest(root)}-${name}` : join(run, `${name}.sock`));
  return {
    root,
    /** The guest's data disk, sparse. */
    disk: join(root, "data.raw"),
    /** What the guest printed since its last start; the run before it beside it. */
    console: join(root, "console.log"),
    consoleBefore: join(root, "console.1.log"),
    /** Process id of the QEMU in charge of the disk. */
    pid: join(root, "qemu.pid"),
    /** Sockets; 0700. */
    run,
    qmp: endpoint("qmp"),
    link: endpoint("h2"),
    ctl: endpoint("ctl"),
    /** Served by the process in charge of this root, and by nothing else at the same time. */
    owner: platform === "win32" ? `\\\\.\\pipe\\slipway-${digest(root)}` : join(run, "owner.sock"),
    /** What the engine in the guest gets of the person's daemon.json. */
    daemonConfig: join(run, "daemon.json"),
    /** One socket a share served by virtiofsd. */
    share: (tag: string): string => join(run, `fs-${tag}.sock`),
  } as const;
};

export type MachinePaths = ReturnType<typeof machinePaths>;

/** `root/run`, or a short stand-in in the temporary directory when sockets in it would have too long a path. */
function runDirectory(root: string): string {
  const wanted = join(root, "run");
  if (Buffer.byteLength(join(wanted, "fs-share00.sock")) <= socketPathBytesMax) return wanted;
  return join(tmpdir(), `slipway-${digest(root)}`);
}

const digest = (root: string): string => createHash("sha256").update(root).digest("hex").slice(0, 12);

/** What `npm run image` made for one architecture. */
export const imagePaths = (directory: string) =>
  ({ kernel: join(directory, "vmlinuz"), initrd: join(directory, "initrd"), root: join(directory, "root.img") }) as const;

export type ImagePaths = ReturnType<typeof imagePaths>;
