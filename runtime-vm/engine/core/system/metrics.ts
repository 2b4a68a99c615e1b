import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, release, totalmem } from "node:os";
import { engineVersion } from "#api/versions.ts";

/** What the metrics count of the other nouns. */
export interface MetricsParts {
  readonly version: string;
  readonly containers: () => { running: number; paused: number; stopped: number };
  readonly events: () => number;
  readonly listeners: () => number;
  readonly requests: () => number;
}

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The engine's numbers in Prometheus's text format (version 0.0.4), under the names dockerd gives them. */
export function metricsText(parts: MetricsParts): string {
  return families(parts)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
    })
    .join("");
}

function families(parts: MetricsParts): Family[] {
  const one = (name: string, type: Family["type"], help: string, value: number): Family => ({ name, type, help, samples: [{ value }] });
  const usage = process.resourceUsage();
  const states = Object.entries(parts.containers());
  const info = { architecture: process.arch, commit: parts.version, kernel: release(), os: "linux", os_type: "linux", version: engineVersion };
  return [
    {
      name: "engine_daemon_container_states_containers",
      type: "gauge",
      help: "The count of containers in various states",
      samples: states.filter(([state]) => ["paused", "running", "stopped"].includes(state)).map(([state, value]) => ({ labels: { state }, value })),
    },
    one("engine_daemon_engine_cpus_cpus", "gauge", "The number of cpus that the host system of the engine has", availableParallelism()),
    {
      name: "engine_daemon_engine_info",
      type: "gauge",
      help: "The information related to the engine and the OS it is running on",
      samples: [{ labels: info, value: 1 }],
    },
    one("engine_daemon_engine_memory_bytes", "gauge", "The number of bytes of memory that the host system of the engine has", totalmem()),
    one("engine_daemon_events_subscribers_total", "gauge", "The number of current subscribers to events", parts.listeners()),
    one("engine_daemon_events_total", "counter", "The number of events logged", parts.events()),
    one("engine_http_requests_total", "counter", "The number of API requests answered", parts.requests()),
    one("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", (usage.userCPUTime + usage.systemCPUTime) / 1e6),
    one("process_open_fds", "gauge", "Number of open file descriptors.", readdirSync("/proc/self/fd").length),
    one("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", process.memoryUsage.rss()),
    one("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", performance.timeOrigin / 1000),
    one("process_threads", "gauge", "Number of OS threads.", threads()),
  ];
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  if (labels === undefined) return "";
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`);
  return `{${pairs.join(",")}}`;
}

const threads = (): number => Number(/^Threads:\s*(\d+)$/m.exec(readFileSync("/proc/self/status").toString("utf8"))?.[1] ?? 0);
