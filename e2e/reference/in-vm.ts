import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startMachine } from "../fixtures/program.ts";
import { ensureTree, tree } from "./dockerd.ts";

/** A privileged container of ours has everything of the guest in sight. */
export const onMachine =
  (docker: StockDocker) =>
  (script: string): Promise<string> =>
    docker.ok("run", "--rm", "--privileged", "--pid", "host", "--cgroupns", "host", "--network", "none", "busybox", "sh", "-c", script);

/** Our VM with a real dockerd in it beside our engine: the same kernel, processors and disk, and all controllers. */
export interface ReferenceInVm extends AsyncDisposable {
  readonly machine: Program;
  readonly ours: EngineClient;
  readonly dockerd: EngineClient;
  /** Runs a script that sees the guest. */
  readonly onMachine: (script: string) => Promise<string>;
}

const port = 2375;
const startMsMax = 900_000;

// In a container of ours that has everything of the guest but its network. The tree is shared from this computer; what dockerd keeps lies
// on the guest's data disk, where our own containers' files do.
const enter = `
set -e; cd /ref
for m in proc dev sys; do mount -o rbind /$m /ref/$m; done
for m in run tmp; do mount -t tmpfs tmpfs /ref/$m; done
mkdir -p mnt/old; pivot_root . mnt/old; cd /
mount -t securityfs securityfs /sys/kernel/security
umount -l /mnt/old
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
echo '{"features": {"containerd-snapshotter": true}}' > /run/daemon.json
# Not by dockerd, which gives it up after 15 seconds: software emulation takes longer.
containerd --root /var/lib/docker/containerd --state /run/containerd &
until ctr version > /dev/null 2>&1; do sleep 1; done
exec dockerd --containerd /run/containerd/containerd.sock --config-file /run/daemon.json -H tcp://0.0.0.0:${port} --tls=false --bip 10.199.0.1/24 --iptables=false --ip6tables=false --pidfile /run/dockerd.pid
`;

/** Both have busybox:latest when it resolves. */
export async function startReferenceInVm(): Promise<ReferenceInVm> {
  ensureTree();
  await using undo = new AsyncDisposableStack();
  const machine = undo.use(await startMachine({ args: ["--share", tree, "--cpus", "2"] }));
  const docker = stockDocker({ socket: machine.socket });
  const archive = await dockerArchive([await busybox("busybox:latest")]);
  await docker.with({ input: archive }, "load");
  const rights = ["--privileged", "--pid", "host", "--cgroupns", "host", "-p", `127.0.0.1::${port}`];
  const places = ["-v", `${tree}:/ref`, "-v", "dockerd:/ref/var/lib/docker"];
  await docker.ok("run", "-d", "--name", "dockerd", ...rights, ...places, "slipway/welcome", "sh", "-c", enter);
  const [host = "", published = ""] = (await docker.ok("port", "dockerd", String(port))).split(":");
  const dockerd = new EngineClient({ kind: "tcp", host, port: Number(published) });
  const patience = AbortSignal.timeout(startMsMax);
  for (;;) {
    try {
      await dockerd.call("GET", "/version", { signal: AbortSignal.any([patience, AbortSignal.timeout(20_000)]) });
      break;
    } catch (error) {
      const said = await docker("logs", "--tail", "20", "dockerd");
      const ended = (await docker.ok("inspect", "-f", "{{.State.Running}}", "dockerd")) !== "true";
      if (patience.aborted || ended) throw new Error(`dockerd did not come up in the VM:\n${said.stderr}${said.stdout}`, { cause: error });
      await delay(1_000);
    }
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  await (await dockerd.stream("POST", "/images/load", { query: { quiet: 1 }, body: whole() })).body.toArray();
  const owned = undo.move();
  const ours = new EngineClient({ kind: "socket", path: machine.socket });
  return { machine, ours, dockerd, onMachine: onMachine(docker), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
