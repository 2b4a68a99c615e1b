import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";
import { askBuild, type BuildAnswer, buildersOf, keyOf } from "./build.ask.ts";
import { buildCases } from "./build.cases.ts";

// node e2e/suites/build.record.ts [SOCKET [FILE]]: has a real dockerd build every case and writes down what came of it.
const [given, file = join(import.meta.dirname, "dockerd-28.5.builds.json")] = process.argv.slice(2);
await using dockerd = given === undefined ? await startReferenceDockerd() : undefined;
const docker = stockDocker({ socket: given ?? dockerd?.socket ?? "" });
const dir = mkdtempSync(join(tmpdir(), "builds-"));
try {
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  const answers: Record<string, BuildAnswer> = {};
  for (const one of buildCases) for (const builder of buildersOf(one)) answers[keyOf(one, builder)] = await askBuild(docker, one, builder);
  const version = await docker.ok("version", "-f", "{{.Server.Version}}");
  writeFileSync(file, `${JSON.stringify({ version, answers }, null, 2)}\n`);
  console.log(`recorded ${Object.keys(answers).length} builds of ${version}`);
} finally {
  rmSync(dir, { recursive: true });
}
