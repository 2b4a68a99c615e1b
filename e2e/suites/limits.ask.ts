import { FrameReader } from "#api/stdcopy.ts";
import { messageOf } from "#base/errors.ts";
import type { EngineClient } from "#client/client.ts";
import type { LimitCase } from "./limits.cases.ts";

/** What an engine made of a limit. */
export interface LimitAnswer {
  readonly refused?: string;
  readonly warnings?: readonly string[];
  readonly notStarted?: string;
  readonly updateRefused?: string;
  readonly updateWarnings?: readonly string[];
  /** Files of its control group as it sees them, and what else the kernel says of it. */
  readonly files?: Readonly<Record<string, string>>;
  /** The fields asked for, as inspect shows them. */
  readonly shown?: Readonly<Record<string, unknown>>;
}

const look = `cd /sys/fs/cgroup
for f in *.max *.low *.high *.min *.weight *.group *.idle *.burst cpuset.cpus cpuset.mems cgroup.controllers; do [ ! -e $f ] || echo $f $(cat $f); done
echo oom_score_adj $(cat /proc/self/oom_score_adj)`;

/** Asks for one limit, and takes away what was made. */
export async function askLimit(client: EngineClient, { name, host, update }: LimitCase): Promise<LimitAnswer> {
  const container = `limit-${name.replaceAll(/\W+/g, "-").toLowerCase()}`;
  // An update is seen by a container that looks once it was told to.
  const command = update === undefined ? look : `until [ -e /go ]; do sleep 0.1; done; ${look}`;
  const made = await attempt(() =>
    client.json<{ Warnings: string[] }>("POST", "/containers/create", {
      query: { name: container },
      json: { Image: "busybox:latest", Cmd: ["sh", "-c", command], HostConfig: host },
    }),
  );
  if ("failure" in made) return { refused: made.failure };
  try {
    const warnings = made.value.Warnings.length === 0 ? {} : { warnings: made.value.Warnings };
    const started = await attempt(() => client.call("POST", `/containers/${container}/start`));
    if ("failure" in started) return { ...warnings, notStarted: started.failure };
    const updated = update === undefined ? {} : await updateAndLetGo(client, container, update);
    await client.call("POST", `/containers/${container}/wait`);
    const inspected = await client.json<{ HostConfig: Record<string, unknown> }>("GET", `/containers/${container}/json`);
    const fields = Object.keys({ ...host, ...update });
    const shown = Object.fromEntries(fields.map((field) => [field, inspected.HostConfig[field] ?? null]));
    return { ...warnings, ...updated, files: await written(client, container), shown };
  } finally {
    await client.call("DELETE", `/containers/${container}`, { query: { force: true } });
  }
}

async function updateAndLetGo(client: EngineClient, container: string, update: object): Promise<LimitAnswer> {
  const answer = await attempt(() => client.json<{ Warnings: string[] | null }>("POST", `/containers/${container}/update`, { json: update }));
  const { Id } = await client.json<{ Id: string }>("POST", `/containers/${container}/exec`, { json: { Cmd: ["touch", "/go"] } });
  await client.call("POST", `/exec/${Id}/start`, { json: { Detach: true } });
  if ("failure" in answer) return { updateRefused: answer.failure };
  const { Warnings } = answer.value;
  return Warnings === null || Warnings.length === 0 ? {} : { updateWarnings: Warnings };
}

async function written(client: EngineClient, container: string): Promise<Record<string, string>> {
  const { body } = await client.stream("GET", `/containers/${container}/logs`, { query: { stdout: true, stderr: true } });
  const reader = new FrameReader();
  let text = "";
  for await (const chunk of body as AsyncIterable<Buffer>) for (const { payload } of reader.push(chunk)) text += Buffer.from(payload).toString();
  const lines = text.trim().split("\n");
  return Object.fromEntries(lines.map((line) => [line.split(" ")[0] ?? "", line.slice(line.indexOf(" ") + 1)]));
}

type Outcome<T> = { readonly value: T } | { readonly failure: string };

async function attempt<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { failure: messageOf(error).replaceAll(/[0-9a-f]{64}/g, "<id>") };
  }
}
