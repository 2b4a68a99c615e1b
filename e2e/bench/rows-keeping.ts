import { create, createStarted, prefix, removeAll, type Row, timed } from "./row.ts";
import type { Target } from "./target.ts";

/** What removing costs where what is removed is kept: for two engines of ours, one with `{"slipway": {"trash": {"days": 0}}}`. */
const removal: Row = {
  name: "rm of a container that has run",
  unit: "ms",
  rounds: 25,
  budget: 1.1,
  async measure(target, round) {
    const id = await createStarted(target, `rm-${round}`, ["sh", "-c", "echo x > /x"]);
    await target.call("POST", `/containers/${id}/wait`);
    return await timed(() => target.call("DELETE", `/containers/${id}?v=1`));
  },
  teardown: removeAll,
};

const imageRemoval: Row = {
  name: "rmi of an image with a layer of its own",
  unit: "ms",
  rounds: 15,
  budget: 1.1,
  async measure(target, round) {
    const id = await createStarted(target, `rmi-${round}`, ["sh", "-c", "head -c 1000000 /dev/urandom > /x"]);
    await target.call("POST", `/containers/${id}/wait`);
    await target.call("POST", `/commit?container=${id}&repo=${prefix}made&tag=${round}`, {});
    await target.call("DELETE", `/containers/${id}`);
    return await timed(() => target.call("DELETE", `/images/${prefix}made:${round}`));
  },
  teardown: removeAll,
};

/** As many as somebody removes in a week. */
const removedBefore = 200;

const start: Row = {
  name: `create + start + wait + rm after ${removedBefore} removals`,
  unit: "ms",
  rounds: 15,
  budget: 1.1,
  async setup(target: Target) {
    for (let i = 0; i < removedBefore; i += 1) await target.call("DELETE", `/containers/${await create(target, `gone-${i}`, ["true"])}`);
  },
  measure: (target, round) =>
    timed(async () => {
      const id = await createStarted(target, `after-${round}`, ["true"]);
      await target.call("POST", `/containers/${id}/wait`);
      await target.call("DELETE", `/containers/${id}`);
    }),
  teardown: removeAll,
};

export const keepingRows: readonly Row[] = [removal, imageRemoval, start];
