import { statSync, statfsSync } from "node:fs";
import type { Why } from "#api/why.ts";
import { limits } from "#base/limits.ts";
import { parseNano } from "../clock/clock.ts";
import { hostPlatform } from "../images/platform.ts";
import { explainContainer } from "../why/explain.ts";
import type { Facts, Neighbour, Program } from "../why/facts.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import { resolveHostPath } from "./host-path.ts";
import { openLog } from "./logs.ts";
import { programIn } from "./program.ts";
import type { Ended } from "./record.ts";
import type { Supervisor } from "./supervisor.ts";
import { withView } from "./view.ts";

/** Lines of output that are looked at. */
const linesMax = 40;
const lineCharsMax = 1_000;

/** Why a container ended, does not start or is not well. Everything is looked at when it is asked for: a run costs nothing for it. */
export async function whyOf(supervisor: Supervisor, container: Container): Promise<Why> {
  const explanation = explainContainer(await gather(supervisor, container));
  return { Id: container.id, Name: container.name, Status: container.status, Explanation: explanation ?? null };
}

async function gather(supervisor: Supervisor, container: Container): Promise<Facts> {
  const { backends, catalog } = supervisor;
  const { config, hostConfig } = container.spec;
  const { exitCode, error: refused, last } = outcomeOf(container);
  const lines = last === undefined ? [] : await lastLines(backends, container, last);
  const error = refused === "" && exitCode !== 0 ? refusedExec(lines) : refused;
  const program = error === "" ? undefined : await programOf(supervisor, container);
  const disk = diskOf(backends);
  const health = container.run?.health?.state;
  return {
    name: container.name,
    status: container.status,
    exitCode,
    startError: error,
    ran: last !== undefined && last.startedAt !== "",
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    user: config.User ?? "",
    architecture: hostPlatform(process.arch).architecture,
    lines,
    traces: last?.traces ?? {},
    oomKilled: last?.oomKilled ?? false,
    stopGraceSeconds: config.StopTimeout ?? limits.stopGraceMsDefault / 1_000,
    restarts: restartsOf(container, last),
    readOnlyRoot: hostConfig.ReadonlyRootfs ?? false,
    privileged: hostConfig.Privileged ?? false,
    networkMode: hostConfig.NetworkMode ?? "",
    mounts: container.spec.mounts.map((mount) => ({
      source: mount.volume?.name ?? mount.source,
      destination: mount.destination,
      readOnly: mount.readOnly,
      ...ownerOf(backends, mount),
    })),
    neighbour: (name) => neighbourOf(catalog, container, name),
    ...(program === undefined ? {} : { program }),
    ...(disk === undefined ? {} : { disk }),
    ...(health === undefined ? {} : { health }),
  };
}

/** Of the last run, or of the start that failed after it. A container that runs again is judged by how it ended before. */
function outcomeOf({ state, ends }: Container): { exitCode: number; error: string; last?: Ended } {
  switch (state.kind) {
    case "created":
      return state;
    case "exited":
    case "restarting":
      return { exitCode: state.last.exitCode, error: state.last.error, last: state.last };
    case "running": {
      const last = ends.at(-1);
      return last === undefined ? { exitCode: 0, error: "" } : { exitCode: last.exitCode, error: "", last };
    }
  }
}

/** The runtime's own last step, or an init's, puts the command in its own place: the kernel's refusal is then the only thing that was said. */
function refusedExec(lines: readonly string[]): string {
  const [, path, why] =
    /exec (?:container process .*?`)?(\/[^\s`:]+)`?(?: failed)?: (No such file or directory|Exec format error|Permission denied)/i.exec(lines.at(-1) ?? "") ??
    [];
  return path === undefined || why === undefined ? "" : `exec ${path}: ${why.toLowerCase()}`;
}

function restartsOf(container: Container, last: Ended | undefined): Facts["restarts"] {
  const { Name: policy = "no" } = container.spec.hostConfig.RestartPolicy ?? {};
  const times = container.ends.map(({ finishedAt }) => ms(finishedAt));
  const [first, latest] = [times[0], times.at(-1)];
  const everyMs = first === undefined || latest === undefined || times.length < 2 ? undefined : (latest - first) / (times.length - 1);
  const ranMs = container.run === undefined ? (last === undefined ? 0 : ms(last.finishedAt) - ms(last.startedAt)) : Date.now() - ms(container.run.startedAt);
  return { count: container.restartCount, policy, ranMs, ...(everyMs === undefined ? {} : { everyMs }) };
}

const ms = (time: string): number => Number((parseNano(time) ?? 0n) / 1_000_000n);

/** Undefined where its files cannot be put together, as for a mount whose source is missing. */
async function programOf(supervisor: Supervisor, container: Container): Promise<Program | undefined> {
  try {
    return await withView(
      supervisor,
      container,
      async (view) => await Promise.resolve(programIn({ kernel: supervisor.backends.kernel, root: view.root }, container.spec.config)),
    );
  } catch (error) {
    supervisor.backends.journal.debug(`container ${container.id}: its command's file could not be looked at: ${String(error)}`);
    return undefined;
  }
}

/** What the run said last; none for a log that cannot be read. */
async function lastLines(backends: ContainerBackends, container: Container, { startedAt, finishedAt }: Ended): Promise<string[]> {
  const [startNano, endNano] = [parseNano(startedAt), parseNano(finishedAt)];
  if (startNano === undefined) return [];
  // Who ends at once may have ended before its start was noted down.
  const before = container.ends.filter((end) => end.startedAt !== startedAt).map((end) => parseNano(end.finishedAt) ?? 0n);
  const beforeNano = before.findLast((end) => end < startNano) ?? 0n;
  const sinceNano = beforeNano > startNano - startSlackNano ? beforeNano + 1n : startNano - startSlackNano;
  // What was on its way at the end is stamped a little later.
  const untilNano = container.run === undefined || endNano === undefined ? undefined : endNano;
  const lines: string[] = [];
  try {
    const log = await openLog(backends, container);
    const query = { stdout: true, stderr: true, sinceNano, tail: linesMax, follow: false, signal: AbortSignal.timeout(readMsMax) };
    for await (const { bytes } of log.read({ ...query, ...(untilNano === undefined ? {} : { untilNano }) })) {
      lines.push(bytes.toString("utf8").slice(0, lineCharsMax).replace(/\n$/, ""));
    }
  } catch (error) {
    backends.journal.debug(`container ${container.id}: its last lines could not be read: ${String(error)}`);
  }
  return lines.filter((line) => line.trim() !== "");
}

const readMsMax = 5_000;
/** A start is noted down after the program may have spoken. */
const startSlackNano = 1_000_000_000n;

function diskOf({ paths }: ContainerBackends): Facts["disk"] {
  const { bavail, blocks, bsize } = statfsSync(paths.root);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Who owns what is mounted, as `ls -ln` tells it. */
function ownerOf(backends: ContainerBackends, { type, source }: { type: string; source: string }): { owner?: string } {
  if (type !== "bind" && type !== "volume") return {};
  try {
    const path = type === "bind" ? resolveHostPath(backends, source) : source;
    if (path === undefined) return {};
    const { uid, gid, mode } = statSync(path);
    return { owner: `owner ${uid}:${gid}, mode ${(mode & 0o7777).toString(8).padStart(4, "0")}` };
  } catch {
    // Gone meanwhile: its owner is no evidence then.
    return {};
  }
}

function neighbourOf(catalog: Catalog, container: Container, name: string): Neighbour | undefined {
  const project = container.spec.config.Labels?.["com.docker.compose.project"];
  const found = catalog.all().find((other) => other !== container && answersTo(other, name, project));
  if (found === undefined) return undefined;
  const shared = Object.keys(container.spec.endpoints).some((network) => network !== "bridge" && network !== "default" && network in found.spec.endpoints);
  const { exitCode } = outcomeOf(found);
  return { name: found.name, status: found.status, exitCode, reachable: shared };
}

function answersTo(other: Container, name: string, project: string | undefined): boolean {
  if (other.name === name) return true;
  const labels = other.spec.config.Labels ?? {};
  if (project !== undefined && labels["com.docker.compose.project"] === project && labels["com.docker.compose.service"] === name) return true;
  const endpoints = Object.values(other.run?.sandbox.endpoints ?? other.lastEndpoints);
  if (endpoints.some(({ IPAddress, GlobalIPv6Address }) => IPAddress === name || GlobalIPv6Address === name)) return true;
  return Object.values(other.spec.endpoints).some(({ Aliases }) => Aliases?.includes(name) === true);
}
