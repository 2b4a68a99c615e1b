import { EngineError, messageOf } from "#base/errors.ts";
import type { ContextStatus, Repairable } from "#bridge/bridge.ts";
import type { EngineConnection } from "./engine.ts";
import type { MachineKeeper } from "./keeper.ts";
import type { DockerSocket } from "./proxy.ts";

const pingMsMax = 5_000;

export interface Repaired {
  readonly keeper: Pick<MachineKeeper, "status" | "renew">;
  readonly engine: Pick<EngineConnection, "request">;
  readonly socket: Pick<DockerSocket, "restore">;
  readonly context: { status(): Promise<ContextStatus>; ensure(): Promise<void> };
}

/**
 * Looks at each thing that can go wrong beside the person's data and makes anew what is not as it should be. Nothing
 * that works is touched: a machine whose engine answers goes on, and so do its containers.
 */
export async function repair(parts: Repaired, { signal }: { readonly signal: AbortSignal }): Promise<readonly Repairable[]> {
  const tries: readonly (readonly [Repairable, () => Promise<boolean>])[] = [
    ["socket", () => parts.socket.restore()],
    ["context", () => restoreContext(parts)],
    ["machine", () => renewMachine(parts, signal)],
  ];
  const done: Repairable[] = [];
  const failures: unknown[] = [];
  for (const [name, run] of tries) {
    try {
      if (await run()) done.push(name);
    } catch (error) {
      failures.push(error); // what can be repaired still is
    }
  }
  if (failures.length > 0) throw new EngineError("unavailable", failures.map(messageOf).join("; "), { cause: failures[0] });
  return done;
}

/** A context that leads to another Slipway that is running stays with it. */
async function restoreContext({ context }: Repaired): Promise<boolean> {
  if ((await context.status()).created) return false;
  await context.ensure();
  return (await context.status()).created;
}

async function renewMachine({ keeper, engine }: Repaired, signal: AbortSignal): Promise<boolean> {
  if (keeper.status.phase === "running" && (await answers(engine, signal))) return false;
  await keeper.renew();
  return true;
}

const answers = (engine: Repaired["engine"], signal: AbortSignal): Promise<boolean> =>
  engine.request({ method: "GET", path: "/_ping" }, { signal: AbortSignal.any([signal, AbortSignal.timeout(pingMsMax)]) }).then(
    ({ status }) => status === 200,
    () => false,
  );
