import type { ServerResponse } from "node:http";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import type { ContainerStats } from "#api/stats.ts";
import { frame } from "#api/stdcopy.ts";
import { type ScriptedEngine, silent, startScriptedEngine } from "../fixtures/scripted-engine.ts";

export const crowdSize = 1_000;
export const runningCount = 50;
export const logLines = 1_000_000;
/** What every thousandth line of the log has. */
export const needle = "order 4711 refused";

/** The container whose log is long and whose shell echoes. */
export const talker = idOf(0);

/** An engine with a thousand containers, of which fifty run and give figures each second, and one has written a million lines. */
export async function startCrowd(): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine();
  const containers = Array.from({ length: crowdSize }, (_, index) => summary(index));
  engine.answer("GET /containers/json", containers);
  engine.answer("GET /containers/*/json", (request, response) => {
    const id = /containers\/([^/?]+)/.exec(request.url ?? "")?.[1] ?? "";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(inspected(containers.find(({ Id }) => Id === id) ?? summary(0))));
  });
  engine.answer("GET /containers/*/stats", (_, response) => sendFigures(response));
  engine.answer("GET /containers/*/logs", (_, response) => void sendLog(response));
  engine.answer(
    "GET /images/json",
    Array.from({ length: 60 }, (_, index) => image(index)),
  );
  engine.answer("GET /volumes", { Volumes: Array.from({ length: 60 }, (_, index) => volume(index)), Warnings: null });
  engine.answer("GET /networks", []);
  engine.answer("GET /info", { ServerVersion: "1.0", NCPU: 8, MemTotal: 16e9, Warnings: null, OperatingSystem: "Linux", KernelVersion: "6.12" });
  engine.answer("GET /system/df", { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] });
  engine.answer("GET /slipway/builds", []);
  engine.answer("GET /slipway/builds/changes", silent);
  engine.answer("GET /slipway/trash", { Items: [], Bytes: 0, Limits: { Days: 7, Bytes: 1e10 } });
  engine.answer("GET /events", silent);
  engine.answer("POST /containers/*/exec", { Id: "e".repeat(64) });
  engine.answer("POST /exec/*/resize", {});
  engine.exec((connection) => {
    connection.write("$ ");
    connection.on("data", (bytes: Buffer) => connection.write(bytes));
  });
  return engine;
}

function idOf(index: number): string {
  return index.toString(16).padStart(64, "0");
}

const createdAt = Math.floor(Date.now() / 1_000) - 86_400;

function summary(index: number): ContainerSummary {
  const running = index < runningCount;
  return {
    Id: idOf(index),
    Names: [`/service-${String(index).padStart(4, "0")}`],
    Image: `registry.example/team/service-${index % 40}:2.${index % 10}`,
    ImageID: `sha256:${idOf(index % 40)}`,
    Command: "node server.js",
    Created: createdAt - index * 60,
    Ports: running ? [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 20_000 + index, Type: "tcp" }] : [],
    Labels: {},
    State: running ? "running" : "exited",
    Status: running ? "Up 3 hours" : "Exited (0) 2 hours ago",
    HostConfig: { NetworkMode: "bridge" },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
}

function inspected({ Id, Names, Image, ImageID, Created, State }: ContainerSummary): Partial<ContainerInspect> {
  const at = new Date(Created * 1_000).toISOString();
  return {
    ...{ Id, Name: Names[0] ?? "", Image: ImageID, Created: at, Path: "node", Args: ["server.js"], RestartCount: 0, Driver: "overlayfs", Platform: "linux" },
    State: {
      ...{ Status: State, Running: State === "running", Paused: false, Restarting: false, OOMKilled: false, Dead: false, Pid: 1 },
      ...{ ExitCode: 0, Error: "", StartedAt: at, FinishedAt: at },
    },
    Mounts: [],
    HostConfig: { NetworkMode: "bridge" },
    Config: { Image, Env: ["PATH=/usr/bin"], Labels: {} },
    NetworkSettings: { Ports: {}, Networks: {} } as unknown as ContainerInspect["NetworkSettings"],
  };
}

const image = (index: number) => ({
  ...{ Id: `sha256:${idOf(index)}`, ParentId: "", RepoTags: [`registry.example/team/service-${index}:2.0`], RepoDigests: [] },
  ...{ Created: createdAt, Size: 80_000_000 + index, SharedSize: -1, Containers: index % 3, Labels: null },
});

const volume = (index: number) => ({
  ...{ Name: `data-${index}`, Driver: "local", Mountpoint: `/v/${index}`, CreatedAt: new Date(createdAt * 1_000).toISOString() },
  ...{ Labels: null, Scope: "local", Options: null },
});

/** A reading a second until the reader leaves. */
function sendFigures(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const cpu = (seconds: number) => ({
    cpu_usage: { total_usage: seconds * 1e9 * (0.2 + 0.1 * Math.sin(seconds)), usage_in_kernelmode: 1, usage_in_usermode: 1 },
    ...{ system_cpu_usage: seconds * 8e9, online_cpus: 8, throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 } },
  });
  const device = { rx_bytes: 1e6, rx_packets: 1e3, rx_errors: 0, rx_dropped: 0, tx_bytes: 1e6, tx_packets: 1e3, tx_errors: 0, tx_dropped: 0 };
  const send = (): void => {
    const now = Date.now() / 1_000;
    const reading: Partial<ContainerStats> = {
      read: new Date(now * 1_000).toISOString(),
      preread: new Date(now * 1_000 - 1_000).toISOString(),
      pids_stats: { current: 12 },
      cpu_stats: cpu(now),
      precpu_stats: cpu(now - 1),
      memory_stats: { usage: 1e8 + 1e7 * Math.sin(now), limit: 16e9, stats: { inactive_file: 1e6 } },
      networks: { eth0: device },
    };
    response.write(`${JSON.stringify(reading)}\n`);
  };
  send();
  const timer = setInterval(send, 1_000);
  response.on("close", () => clearInterval(timer));
}

/** Bytes of the log as the window got them: each line in a frame, with its time. */
export const sentLog = { bytes: 0 };

async function sendLog(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/vnd.docker.multiplexed-stream" });
  const encoder = new TextEncoder();
  const levels = ["info", "info", "info", "debug", "warn"];
  let sent = 0;
  let wake = (): void => undefined;
  for (const name of ["drain", "close"]) response.on(name, () => wake());
  for (let from = 0; from < logLines && !response.destroyed; from += 500) {
    const frames = Array.from({ length: 500 }, (_, offset) => {
      const n = from + offset;
      const stamp = `2026-01-02T03:${String(Math.floor(n / 60_000) % 60).padStart(2, "0")}:${String(Math.floor(n / 1_000) % 60).padStart(2, "0")}.${String(n % 1_000_000).padStart(9, "0")}Z`;
      const text = n % 1_000 === 0 ? `error ${needle}` : `${levels[n % 5]} request ${n} to /api/items/${n % 977} took ${n % 83} ms`;
      return frame("stdout", encoder.encode(`${stamp} ${text}\n`));
    });
    const bytes = Buffer.concat(frames);
    sent += bytes.length;
    if (!response.write(bytes)) await new Promise<void>((resolve) => (wake = resolve));
  }
  sentLog.bytes = sent;
}
