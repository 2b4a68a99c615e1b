import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { onMachine } from "../reference/in-vm.ts";
import { askLimit } from "./limits.ask.ts";
import { limitCases } from "./limits.cases.ts";
import { type LimitAnswers, recordedPath } from "./limits-compared.ask.ts";
import { askStats, type OnMachine, statsCases } from "./stats.ask.ts";

const long = process.env.SLIPWAY_TEST_LONG === "1";
const named = <T extends { readonly name: string; readonly always?: true }>(cases: readonly T[]): (readonly [string, T])[] =>
  cases.filter((one) => long || one.always === true).map((one) => [one.name, one] as const);

/** What dockerd did with the same limits and the same work on the same kernel, recorded by limits-compared.record.ts. */
export function limitsComparedSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    const recorded = JSON.parse(readFileSync(recordedPath, "utf8")) as LimitAnswers;
    let client: EngineClient;
    let look: OnMachine;

    beforeAll(async () => {
      const docker = stockDocker(engine());
      await docker.with({ input: await dockerArchive([await busybox("busybox:latest")]) }, "load");
      client = new EngineClient({ kind: "socket", path: engine().socket });
      look = onMachine(docker);
    });

    test("every case has an answer of dockerd 28.5", () => {
      expect(recorded.version).toMatch(/^28\.5\./);
      expect(Object.keys(recorded.limits)).toEqual(limitCases.map((one) => one.name));
      expect(Object.keys(recorded.stats)).toEqual(statsCases.map((one) => one.name));
    });

    test.each(named(limitCases))("the limit: %s", async (caseName, one) => {
      const [got, wanted] = [await askLimit(client, one), recorded.limits[caseName]];
      if (one.ours === undefined) return expect(got).toEqual(wanted);
      const { refused, notStarted, updateRefused, ...rest } = got;
      expect(refused ?? notStarted ?? updateRefused, one.ours.reason).toMatch(one.ours.said);
      const { refused: _refused, notStarted: _start, updateRefused: _update, ...others } = wanted ?? {};
      expect(rest).toEqual(others);
    });

    test.each(named(statsCases))("the figures of a container %s", async (caseName, one) => {
      expect(await askStats(client, look, one)).toEqual(recorded.stats[caseName]);
    });
  });
}
