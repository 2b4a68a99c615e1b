import type { Target } from "./target.ts";

/** One line of the table: what is measured, in which unit, and what DESIGN asks of ours against a reference dockerd. */
export interface Row {
  readonly name: string;
  readonly unit: "ms" | "MB/s" | "MB" | "/s" | "x";
  readonly rounds: number;
  /** Ratio ours/reference that is asked for; for rates at least, for the rest at most. */
  readonly budget?: number;
  /** What that is a ratio to, where it is no other engine's figure. */
  readonly against?: number;
  setup?(target: Target): Promise<void>;
  measure(target: Target, round: number): Promise<number | undefined>;
  teardown?(target: Target): Promise<void>;
}

const image = "slipway-bench:latest";
export const prefix = "slipway-bench-";

export const removeAll = async (target: Target): Promise<void> => {
  const found = await target.call<{ Id: string; Names: string[] }[]>("GET", "/containers/json?all=1");
  for (const c of found) if (c.Names.some((n) => n.startsWith(`/${prefix}`))) await target.call("DELETE", `/containers/${c.Id}?force=1&v=1`);
};

export async function create(target: Target, name: string, command: readonly string[], extra: Record<string, unknown> = {}): Promise<string> {
  const { Id } = await target.call<{ Id: string }>("POST", `/containers/create?name=${prefix}${name}`, { Image: image, Cmd: command, ...extra });
  return Id;
}

export async function createStarted(target: Target, name: string, command: readonly string[]): Promise<string> {
  const id = await create(target, name, command);
  await target.call("POST", `/containers/${id}/start`);
  return id;
}

/** How long `work` takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
