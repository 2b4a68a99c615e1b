/** Networks over the real driver, in a network of the test's own: what the integration tests of this folder share. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import dns from "dns-packet";
import { afterEach, beforeEach } from "vitest";
import { delay } from "#base/deadline.ts";
import type { Bin } from "#core/bin/bin.ts";
import { testBin } from "#core/bin/testing.ts";
import type { EventLog } from "#core/events/events.ts";
import { silentJournal } from "#core/journal/journal.ts";
import { MNT } from "#core/kernel/kernel.ts";
import type { PortPublisher, SandboxRequest } from "#core/networks/networks.ts";
import { type Networking, type NetworkingOptions, openNetworking } from "#core/networks/open.ts";
import type { State } from "#core/state/state.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { c } from "#plugins/kernel-koffi/libc.ts";
import { serverResolver } from "#plugins/names-dns/forward.ts";
import { DnsService } from "#plugins/names-dns/server.ts";
import { localPorts } from "#plugins/ports-local/publisher.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { BridgeDriver } from "./driver.ts";
import type { PacketPolicy } from "./policy.ts";
import type { Surroundings } from "./rules.ts";

const CLONE_NEWNET = 0x40000000;
export const kernel = createKernel();
export let dir: string;
export let net: Networking;
export let events: EventLog;
/** Keeps what is removed. */
export let bin: Bin;
let state: State;
let driver: BridgeDriver;

/** This test's thread leaves the host's network for an empty one of its own, for good: the worker ends with the file. */
function ownNetwork(): void {
  if (c.unshare(CLONE_NEWNET) !== 0) throw new Error("cannot make a network namespace: run as root");
  execFileSync("ip", ["link", "set", "lo", "up"]);
}

/** What daemon.json says besides. */
type Said = Partial<NetworkingOptions["config"]> & PacketPolicy;

export function openAll(said: Said = {}, publisher: PortPublisher = localPorts, around: Surroundings = { forbidden: [] }): void {
  state = openSqliteState(join(dir, "state.db"));
  bin = testBin(state, { days: 7, bytes: 2 ** 30 });
  driver = new BridgeDriver(kernel, around, said);
  events = new MemoryEventLog();
  const config = { bip: "", mtu: 1500, defaultAddressPools: [], dns: [], dnsSearch: [], hostPrefix: join(dir, "host"), ...said };
  const paths = { netns: join(dir, "netns"), sandboxes: join(dir, "sandboxes") };
  const names = new DnsService({ kernel, fallback: serverResolver(() => [...upstreams], 5353) });
  try {
    net = openNetworking({ state, bin, kernel, events, journal: silentJournal, driver, names, publisher, paths, config });
  } catch (error) {
    state[Symbol.dispose]();
    driver[Symbol.dispose]();
    throw error;
  }
}

/** What a clean stop of the engine does, containers or not. */
export async function closeAll(): Promise<void> {
  await net[Symbol.asyncDispose]();
  driver[Symbol.dispose]();
  state[Symbol.dispose]();
}

/** Resolvers that answer on port 5353. */
export const upstreams: string[] = [];

/** Before each test an empty network with an engine's networks in it, after it nothing. */
export function inOwnNetwork(): void {
  beforeEach(() => {
    ownNetwork();
    upstreams.length = 0;
    dir = mkdtempSync(join(tmpdir(), "slipway-net-"));
    kernel.mount({ source: "tmpfs", target: dir, type: "tmpfs", data: "mode=755" });
    execFileSync("mkdir", ["-p", join(dir, "host/etc")]);
    writeFileSync(join(dir, "host/etc/resolv.conf"), "nameserver 192.0.2.53\n");
    openAll();
  });
  afterEach(async () => {
    for (const id of readdirSync(join(dir, "sandboxes"))) await net.sandboxes.close(id.replace(".json", ""));
    await closeAll();
    for (const path of kernel.mountsUnder(dir)) kernel.umount(path, MNT.DETACH);
    rmSync(dir, { recursive: true, force: true });
  });
}

export const id = (name: string): string => Buffer.from(name).toString("hex").padEnd(64, "0");
export const request = (name: string, more: Partial<SandboxRequest> = {}): SandboxRequest => ({
  containerId: id(name),
  containerName: name,
  hostname: id(name).slice(0, 12),
  mode: "bridge",
  endpoints: {},
  ports: {},
  publishAll: false,
  exposed: [],
  dns: { servers: [], search: [], options: [] },
  extraHosts: [],
  ...more,
});
export const run = (netns: string | undefined, command: string, ...args: string[]): string =>
  kernel.inNetns(netns ?? "", () => execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));

/** Listens in a namespace; the answer tells what was heard once the client has finished. */
export async function serve(netns: string | undefined, port: number, address = "0.0.0.0"): Promise<Server> {
  const { fd } = kernel.inNetns(netns ?? "", () => kernel.boundSocket({ kind: "tcp", address, port }));
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void socket.toArray().then((chunks) => socket.end(`heard ${chunks.join("")} from ${socket.remoteAddress}`));
  }).listen({ fd });
  await once(server, "listening");
  return server;
}

/** Speaks from inside a namespace, without a process that must be there. */
export async function talk(host: string, port: number, text: string): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.end(text);
  return (await socket.toArray()).join("");
}
export const talkFrom = (netns: string | undefined, host: string, port: number): string =>
  run(netns, "bash", "-c", `exec 3<>/dev/tcp/${host}/${port} && echo connected`).trim();

export async function ask(netns: string | undefined, name: string, type: dns.RecordType = "A"): Promise<dns.DecodedPacket> {
  const { fd } = kernel.inNetns(netns ?? "", () => kernel.boundSocket({ kind: "udp", address: "0.0.0.0", port: 0 }));
  const socket = createSocket("udp4");
  socket.bind({ fd });
  try {
    socket.send(dns.encode({ type: "query", id: 1, flags: dns.RECURSION_DESIRED, questions: [{ type, name }] }), 53, "127.0.0.11");
    const [reply] = (await once(socket, "message", { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    return dns.decode(reply);
  } finally {
    socket.close();
  }
}
export const failure = (reply: dns.DecodedPacket): unknown => "rcode" in reply && reply.rcode;
export const addresses = (reply: dns.DecodedPacket): string[] => (reply.answers ?? []).map((a) => (a as dns.StringAnswer).data);

/** Everything of ours in this namespace: veths go a little later than their namespace, so those are waited for. */
export async function traces(): Promise<{ netns: string[]; records: string[]; veths: string[]; sandboxRules: string }> {
  const veths = (): string[] =>
    (JSON.parse(execFileSync("ip", ["-j", "link"], { encoding: "utf8" })) as { ifname: string }[]).map((l) => l.ifname).filter((n) => n.startsWith("veth"));
  for (let i = 0; i < 100 && veths().length > 0; i += 1) await delay(50);
  return { netns: readdirSync(join(dir, "netns")), records: readdirSync(join(dir, "sandboxes")), veths: veths(), sandboxRules: kernel.nft("list ruleset") };
}

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });

/** Another machine, 10.77.0.2, which knows that the containers are behind this one, 10.77.0.1. */
export function openOutside(): string {
  const path = join(dir, "netns", "outside");
  kernel.createNetns(path);
  ip("link", "add", "up0", "type", "veth", "peer", "name", "out0", "netns", path);
  ip("addr", "add", "10.77.0.1/24", "dev", "up0");
  ip("link", "set", "up0", "up");
  kernel.inNetns(path, () => {
    ip("addr", "add", "10.77.0.2/24", "dev", "out0");
    ip("link", "set", "out0", "up");
    ip("route", "add", "172.16.0.0/12", "via", "10.77.0.1");
  });
  return path;
}
