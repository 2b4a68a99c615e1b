import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startReferenceInVm } from "../reference/in-vm.ts";
import { askAll, recordedPath } from "./limits-compared.ask.ts";

const live = process.env.SLIPWAY_TEST_REFERENCE === "1";

test.runIf(live)("what is recorded of limits and figures is what a live dockerd does in the VM", { timeout: 1_800_000 }, async () => {
  await using pair = await startReferenceInVm();
  expect(await askAll(pair.dockerd, pair.onMachine)).toEqual(JSON.parse(readFileSync(recordedPath, "utf8")));
});
