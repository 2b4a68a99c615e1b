import { createStore, type StoreApi } from "zustand/vanilla";
import { withDeadline } from "#base/deadline.ts";

/** What is being done to an object right now; the row shows it and takes no second order meanwhile. */
export type ActName = "start" | "stop" | "restart" | "pause" | "unpause" | "remove";

export interface ActFailure {
  readonly id: string;
  readonly name: string;
  readonly act: ActName;
  readonly error: unknown;
}

/** Longer than any stop grace a container is likely to have, shorter than anybody's patience. */
const actMsMax = 90_000;

export interface Acts {
  readonly pending: StoreApi<{ readonly byId: ReadonlyMap<string, ActName> }>;
  /** Runs `work` for each object at once, skipping those with an act under way. Returns the failures; never rejects. */
  run(act: ActName, targets: readonly { id: string; name: string }[], work: (id: string) => Promise<unknown>): Promise<readonly ActFailure[]>;
}

export function createActs(): Acts {
  const pending = createStore<{ readonly byId: ReadonlyMap<string, ActName> }>(() => ({ byId: new Map() }));
  const mark = (id: string, act: ActName | undefined): void =>
    pending.setState(({ byId }) => {
      const next = new Map(byId);
      if (act === undefined) next.delete(id);
      else next.set(id, act);
      return { byId: next };
    });

  return {
    pending,
    async run(act, targets, work) {
      const free = targets.filter(({ id }) => !pending.getState().byId.has(id));
      const results = await Promise.all(
        free.map(async ({ id, name }): Promise<ActFailure | undefined> => {
          mark(id, act);
          try {
            await withDeadline(actMsMax, `${act} ${name}`, () => work(id));
            return undefined;
          } catch (error) {
            return { id, name, act, error };
          } finally {
            mark(id, undefined);
          }
        }),
      );
      return results.filter((failure) => failure !== undefined);
    },
  };
}
