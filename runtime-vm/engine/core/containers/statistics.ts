import { delay } from "#base/deadline.ts";
import type { ContainerStats } from "#api/stats.ts";
import { zeroTime } from "../clock/clock.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";

const sampleMs = 1_000;

const noCpu = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** One sample a second until the signal aborts; each carries the one before as `precpu`. A stopped container yields empty samples, as dockerd does. */
export async function* streamStats(backends: Pick<ContainerBackends, "stats">, container: Container, signal: AbortSignal): AsyncGenerator<ContainerStats> {
  let before: ContainerStats | undefined;
  while (!signal.aborted && !container.removing) {
    const now = sample(backends, container);
    if (now === undefined) before = undefined;
    yield now === undefined ? emptyStats(container) : following(now, before);
    before = now;
    try {
      await delay(sampleMs, signal);
    } catch {
      return;
    }
  }
}

/** One sample. Without `oneShot` it is taken a second after another, so that usage can be told from the pair. */
export async function statsOnce(
  backends: Pick<ContainerBackends, "stats">,
  container: Container,
  opts: { oneShot: boolean; signal: AbortSignal },
): Promise<ContainerStats> {
  const first = sample(backends, container);
  if (first === undefined) return emptyStats(container);
  if (opts.oneShot) {
    const { id: _id, name: _name, ...single } = following(first, undefined);
    return single;
  }
  await delay(sampleMs, opts.signal);
  const second = sample(backends, container);
  return second === undefined ? emptyStats(container) : following(second, first);
}

function sample({ stats }: Pick<ContainerBackends, "stats">, container: Container): ContainerStats | undefined {
  const { run } = container;
  if (run === undefined) return undefined;
  try {
    return stats.read({
      id: container.id,
      name: `/${container.name}`,
      cgroup: run.task.cgroup,
      pid: run.task.pid,
      interfaces: run.sandbox.interfaces,
      ...(run.sandbox.netns === undefined ? {} : { netns: run.sandbox.netns }),
    });
  } catch (error) {
    // It may have ended under the reading.
    if (container.run !== run) return undefined;
    throw error;
  }
}

const following = (now: ContainerStats, before: ContainerStats | undefined): ContainerStats => ({
  ...now,
  preread: before?.read ?? zeroTime,
  precpu_stats: before?.cpu_stats ?? noCpu,
});

function emptyStats(container: Container): ContainerStats {
  return {
    name: `/${container.name}`,
    id: container.id,
    read: zeroTime,
    preread: zeroTime,
    pids_stats: {},
    blkio_stats: {
      io_service_bytes_recursive: null,
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: noCpu as ContainerStats["cpu_stats"],
    precpu_stats: noCpu,
    memory_stats: {},
  };
}
