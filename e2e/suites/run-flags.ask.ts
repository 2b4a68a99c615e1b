import { request } from "node:http";
import type { StockDocker } from "../fixtures/docker.ts";
import type { FlagCase } from "./run-flags.case.ts";

/** What an engine did with a case, less what differs from machine to machine. */
export interface Observed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly shown?: Readonly<Record<string, unknown>>;
  /** What the commands after it said. */
  readonly after?: readonly string[];
}

/** Types one case at the engine `docker` talks to, and takes away what it made. */
export async function ask(docker: StockDocker, one: FlagCase, what: { name: string; dir: string; socket: string }): Promise<Observed> {
  const fill = (words: readonly string[]): string[] => words.map((word) => word.replaceAll("{n}", what.name).replaceAll("{dir}", what.dir));
  const plain = (text: string): string => neutral(text.replaceAll(what.name, "{n}").replaceAll(what.dir, "{dir}"));
  for (const command of one.before ?? []) await docker.ok(...fill(command));
  const options = { ...(one.input === undefined ? {} : { input: one.input }), ...(one.tty === true ? { tty: true } : {}) };
  const { code, stdout, stderr } = await docker.with(options, "run", "--name", what.name, ...fill(one.args));
  const shown = one.show === undefined || one.show.length === 0 ? undefined : await show(what.socket, what.name, one.show, plain);
  const after: string[] = [];
  for (const command of one.after ?? []) {
    const said = await docker(...fill(command));
    if (!["rm", "volume", "network"].includes(command[0] ?? "") || command[1] === "inspect") after.push(plain(said.stdout + said.stderr));
  }
  await send(what.socket, "DELETE", `/v1.45/containers/${what.name}?force=1&v=1`);
  return {
    code,
    out: one.flags.includes("help") ? "" : plain(stdout),
    err: plain(stderr),
    ...(shown === undefined ? {} : { shown }),
    ...(after.length === 0 ? {} : { after }),
  };
}

async function show(socket: string, name: string, fields: readonly string[], plain: (text: string) => string): Promise<Record<string, unknown>> {
  const { status, text } = await send(socket, "GET", `/v1.45/containers/${name}/json`);
  if (status !== 200) return { container: "none" };
  const inspected = JSON.parse(plain(JSON.stringify(JSON.parse(text), null, 4))) as unknown;
  const at = (path: string): unknown =>
    path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], inspected);
  // The CLI sends variables in an order of its own, another each time.
  const sorted = (field: string, value: unknown): unknown =>
    field === "Config.Env" && Array.isArray(value) ? (value as string[]).toSorted((a, b) => (a < b ? -1 : 1)) : value;
  return Object.fromEntries(fields.map((field) => [field, sorted(field, at(field)) ?? null]));
}

/** What needs no CLI goes without: starting one takes longer than what it asks. */
function send(socket: string, method: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, method, path, timeout: 60_000 }, (got) => {
      const chunks: Buffer[] = [];
      got.on("data", (chunk: Buffer) => chunks.push(chunk));
      got.on("error", reject);
      got.on("end", () => resolve({ status: got.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.on("error", reject);
    sent.end();
  });
}

/** Ids, times, addresses of hardware, the runtime's own name, and the CLI's advice at the end (another in each release). */
function neutral(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<id>")
    .replaceAll(/("(?:EndpointID|NetworkID|MacAddress|SandboxID)": ")[^"]+"/g, '$1<some>"')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/\/[^\s"':]*\/volumes\//g, "<root>/volumes/")
    .replaceAll(/"[0-9a-f]{12}"/g, '"<short id>"')
    .replaceAll(/\bDriver": "(crun|runc)"/g, 'Driver": "<runtime>"')
    .replaceAll(/\b(crun|runc) create failed/g, "<runtime> create failed")
    .replaceAll(/\n*(See 'docker run --help'\.|Run 'docker run --help' for more information)\s*$/g, "\n")
    .trim();
}
