import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { startEngine } from "../fixtures/program.ts";

// As in a container of another engine. Its mount namespace is as young as the engine's own, and some kernels count these per
// processor: which one made the outer namespace decides whether the engine's can be pinned by the first way tried.
const processors = execFileSync("taskset", ["-cp", String(process.pid)])
  .toString()
  .replace(/^.*: /s, "")
  .trim();
const edges = [...new Set([processors.match(/^\d+/)?.[0] ?? "0", processors.match(/\d+$/)?.[0] ?? "0"])];

for (const processor of edges) {
  test(`an engine starts in a mount namespace just made on processor ${processor}`, async () => {
    const under = ["taskset", "-c", processor, "unshare", "--mount", "--propagation", "private", "taskset", "-c", processors];
    await using engine = await startEngine({ isolate: `slipway-n${processor}-${process.pid}`, under });
    const client = new EngineClient({ kind: "socket", path: engine.socket });
    expect(await client.json("GET", "/info")).toMatchObject({ Containers: 0 });
  });
}
