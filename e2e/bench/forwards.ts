import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { machinePaths } from "#machine/names.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startMachine } from "../fixtures/program.ts";
import { median, type Outcome } from "./outcomes.ts";
import { processorMs } from "./processor.ts";
import { create } from "./row.ts";
import { Target } from "./target.ts";

const rounds = 5;
const megabytes = 64;
const connections = 200;
const serving = `dd if=/dev/zero of=/data/large bs=1048576 count=${megabytes} 2> /dev/null; cp /www/index.html /data/
nc -ll -p 81 -e sh -c 'exec cat > /dev/null' &
exec httpd -f -p 80 -h /data`;
/** A second network card of the guest, since the first has packet rules that let nothing through to QEMU's own addresses. */
const card = { net: "10.0.9.0/24", guest: "10.0.9.15" } as const;

/** Ports of this computer that lead to a web server and to a program that reads, both in the guest. */
interface Way {
  readonly web: number;
  readonly sink: number;
}

interface Work {
  readonly name: string;
  run(way: Way): Promise<void>;
}

const works: readonly Work[] = [
  { name: `${megabytes} MB from a container`, run: ({ web }) => download(web) },
  { name: `${megabytes} MB to a container`, run: ({ sink }) => upload(sink) },
  { name: `${connections} short connections`, run: ({ web }) => shortOnes(web) },
];

/**
 * Processor time, of QEMU and of the process that runs it, for what goes through a published port of the VM, against the same through a
 * port that QEMU itself forwards (slirp's hostfwd) to the same server on the guest's own network.
 */
export async function forwardOutcomes(): Promise<Outcome[]> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync("/var/tmp/slipway-bench-forwards-");
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const forwarded: Way = { web: await freePort(), sink: await freePort() };
  const machine = undo.use(await startMachine({ env: { PATH: `${wrapQemu(directory, forwarded)}:${process.env.PATH}` } }));
  const target = new Target(machine.socket);
  await target.call("POST", "/images/load?quiet=1", await dockerArchive([await busybox("slipway-bench:latest")]));
  const published = await servePublished(target);
  await serveForwarded(target);
  const ways = [published, forwarded];
  for (const { web } of ways) await answered(web);
  const outcomes: Outcome[] = [];
  for (const { name, run } of works) {
    const seen = ways.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) for (const [i, way] of ways.entries()) seen[i]?.push(await costOf(machine, () => run(way)));
    const [own = Number.NaN, against = Number.NaN] = seen.map(median);
    outcomes.push({
      row: `processor time by a published port of the VM, ${name}, over QEMU's hostfwd of ${against} ms`,
      unit: "ms",
      values: [own],
      against,
      budget: 1,
    });
  }
  return outcomes;
}

/** A directory with a QEMU that has one more card; its program is the one found otherwise. */
function wrapQemu(directory: string, { web, sink }: Way): string {
  const name = `qemu-system-${process.arch === "arm64" ? "aarch64" : "x86_64"}`;
  const forwards = [`hostfwd=tcp:127.0.0.1:${web}-${card.guest}:80`, `hostfwd=tcp:127.0.0.1:${sink}-${card.guest}:81`];
  const more = ["-netdev", `user,id=bench,net=${card.net},${forwards.join(",")}`, "-device", "virtio-net-pci,romfile=,netdev=bench"];
  // Only the guest's own: accelerators are tried by QEMUs too.
  const text = `#!/bin/sh\nPATH=\${PATH#*:}\ncase "$*" in\n*netdev=net*) exec ${name} "$@" ${more.join(" ")} ;;\n*) exec ${name} "$@" ;;\nesac\n`;
  writeFileSync(join(directory, name), text);
  chmodSync(join(directory, name), 0o755);
  return directory;
}

async function servePublished(target: Target): Promise<Way> {
  const PortBindings = { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }], "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] };
  const id = await create(target, "published", ["sh", "-c", serving], {
    HostConfig: { PortBindings, Tmpfs: { "/data": "size=100m" } },
    ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
  });
  await target.call("POST", `/containers/${id}/start`);
  const { NetworkSettings } = await target.call<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[]> } }>("GET", `/containers/${id}/json`);
  const at = (port: string): number => Number(NetworkSettings.Ports[port]?.[0]?.HostPort);
  return { web: at("80/tcp"), sink: at("81/tcp") };
}

async function serveForwarded(target: Target): Promise<void> {
  const script = `ip addr add ${card.guest}/24 dev eth1 && ip link set eth1 up; ${serving}`;
  const HostConfig = { NetworkMode: "host", Privileged: true, Tmpfs: { "/data": "size=100m" } };
  const id = await create(target, "forwarded", ["sh", "-c", script], { HostConfig });
  await target.call("POST", `/containers/${id}/start`);
}

async function costOf(machine: Program, work: () => Promise<void>): Promise<number> {
  const pids = [String(machine.pid), readFileSync(machinePaths(machine.root).pid, "utf8").trim()];
  const now = (): number => pids.reduce((sum, pid) => sum + processorMs(pid), 0);
  const before = now();
  await work();
  return now() - before;
}

async function answered(web: number): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    const bytes = await bytesOf(web, "/large").catch(() => 0);
    if (bytes === megabytes * 2 ** 20) return;
    await new Promise((later) => setTimeout(later, 1_000));
  }
  throw new Error(`nothing answers at port ${web}`);
}

async function download(web: number): Promise<void> {
  const bytes = await bytesOf(web, "/large");
  if (bytes !== megabytes * 2 ** 20) throw new Error(`${bytes} bytes came of ${megabytes} MB`);
}

async function shortOnes(web: number): Promise<void> {
  let left = connections;
  const asking = async (): Promise<void> => {
    while (left-- > 0) if ((await bytesOf(web, "/")) === 0) throw new Error("an empty page came");
  };
  await Promise.all(Array.from({ length: 4 }, asking));
}

function bytesOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: "127.0.0.1", agent: false }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => void (bytes += chunk.length));
      answer.on("end", () => resolve(bytes));
      answer.on("error", reject);
    }).on("error", reject);
  });
}

/** Ends when the far side has read it all: it closes then. */
async function upload(sink: number): Promise<void> {
  const socket = connect({ port: sink, host: "127.0.0.1", allowHalfOpen: true });
  const piece = Buffer.alloc(2 ** 20);
  // Rejects where the connection breaks.
  const ended = once(socket.resume(), "end");
  for (let sent = 0; sent < megabytes; sent += 1) if (!socket.write(piece)) await once(socket, "drain");
  socket.end();
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}
