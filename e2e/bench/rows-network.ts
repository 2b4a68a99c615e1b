import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, createStarted, prefix, removeAll, type Row } from "./row.ts";
import { volumeRows } from "./rows-volumes.ts";
import type { Target } from "./target.ts";

const run = promisify(execFile);
const program = (name: string): string => join(import.meta.dirname, "../fixtures", `${name}.program.ts`);
const network = `${prefix}lan`;
const port = 19_480;
const large = { bytes: 256 * 2 ** 20, make: "dd if=/dev/zero of=/data/large bs=1048576 count=256 2> /dev/null" } as const;

/** Where published ports of the engine are reachable. */
const beside = (target: Target, command: readonly string[]): Promise<{ stdout: string }> => {
  const [name = "", ...args] = [...(target.netns === undefined ? [] : ["ip", "netns", "exec", target.netns]), ...command];
  return run(name, args, { timeout: 300_000 });
};

async function makeNetwork(target: Target): Promise<void> {
  await removeNetwork(target);
  await target.call("POST", "/networks/create", { Name: network });
}

async function removeNetwork(target: Target): Promise<void> {
  await removeAll(target);
  const found = await target.call<{ Id: string; Name: string }[]>("GET", "/networks");
  for (const { Id, Name } of found) if (Name === network) await target.call("DELETE", `/networks/${Id}`);
}

/** A web server of a large and a small file, published and with a name. */
async function startServer(target: Target): Promise<void> {
  await makeNetwork(target);
  const HostConfig = { NetworkMode: network, PortBindings: { "80/tcp": [{ HostIp: "", HostPort: String(port) }] }, Tmpfs: { "/data": "size=300m" } };
  const serve = `cp /www/index.html /data/ && ${large.make} && touch /data/ready && exec httpd -f -p 80 -h /data`;
  const id = await create(target, "server", ["sh", "-c", serve], { HostConfig, ExposedPorts: { "80/tcp": {} } });
  await target.call("POST", `/containers/${id}/start`);
  await beside(target, ["curl", "-sf", "--retry", "100", "--retry-all-errors", "--retry-delay", "1", "-o", "/dev/null", `http://127.0.0.1:${port}/ready`]);
}

const attachRow: Row = {
  name: "connect to a network and disconnect",
  unit: "ms",
  rounds: 15,
  budget: 1,
  async setup(target) {
    await makeNetwork(target);
    await createStarted(target, "roamer", ["sleep", "600"]);
  },
  async measure(target) {
    const start = performance.now();
    await target.call("POST", `/networks/${network}/connect`, { Container: `${prefix}roamer` });
    await target.call("POST", `/networks/${network}/disconnect`, { Container: `${prefix}roamer` });
    return performance.now() - start;
  },
  teardown: removeNetwork,
};

const publishedRow: Row = {
  name: "throughput of a published port",
  unit: "MB/s",
  rounds: 5,
  budget: 1,
  setup: startServer,
  async measure(target) {
    const { stdout } = await beside(target, ["curl", "-sf", "-o", "/dev/null", "-w", "%{speed_download}", `http://127.0.0.1:${port}/large`]);
    return Number(stdout) / 1_000_000;
  },
  teardown: removeNetwork,
};

const betweenRow: Row = {
  name: "throughput from container to container",
  unit: "MB/s",
  rounds: 5,
  budget: 1,
  setup: startServer,
  async measure(target, round) {
    const now = "read now _ < /proc/uptime";
    const fetch = `for i in 1 2 3 4; do wget -qO /dev/null http://${prefix}server/large || exit 1; done`;
    const timed = `${now}; from=$now; ${fetch}; ${now}; awk "BEGIN { print $now - $from }"`;
    const id = await create(target, `client-${round}`, ["sh", "-c", timed], { HostConfig: { NetworkMode: network }, Tty: true });
    await target.call("POST", `/containers/${id}/start`);
    await target.call("POST", `/containers/${id}/wait`);
    const said = await target.call<string>("GET", `/containers/${id}/logs?stdout=1`);
    const seconds = Number(said);
    if (!(seconds > 0)) throw new Error(`${target.label}: ${said}`);
    return (4 * large.bytes) / seconds / 1_000_000;
  },
  teardown: removeNetwork,
};

const connectionRow: Row = {
  name: "a short connection to a published port, 16 at a time",
  unit: "ms",
  rounds: 3,
  budget: 1,
  setup: startServer,
  async measure(target) {
    const start = performance.now();
    const { stdout } = await beside(target, [process.execPath, program("connections"), String(port), "1000"]);
    if (Number(stdout) !== 1_000) throw new Error(`${target.label}: ${stdout.trim()} of 1000 pages came whole`);
    return (performance.now() - start) / 1_000;
  },
  teardown: removeNetwork,
};

/** Asked in the container's own network, so only where its processes are this machine's. */
const namesRow: Row = {
  name: "names answered",
  unit: "/s",
  rounds: 3,
  budget: 1,
  setup: startServer,
  async measure(target) {
    if (target.netns === undefined) return undefined;
    const { State } = await target.call<{ State: { Pid: number } }>("GET", `/containers/${prefix}server/json`);
    const asking = [process.execPath, program("questions"), `${prefix}server`, "20000"];
    const { stdout } = await run("nsenter", ["-t", String(State.Pid), "-n", ...asking], { timeout: 120_000 });
    return Number(stdout);
  },
  teardown: removeNetwork,
};

export const networkRows: readonly Row[] = [attachRow, publishedRow, betweenRow, connectionRow, namesRow, ...volumeRows];
