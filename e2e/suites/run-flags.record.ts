import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";
import { type Observed, ask } from "./run-flags.ask.ts";
import { caseFiles, flagCases } from "./run-flags.cases.ts";

// node e2e/suites/run-flags.record.ts [SOCKET [FILE]]: types every case at a real dockerd and writes down what it did.
const [given, file = join(import.meta.dirname, "dockerd-28.5.flags.json")] = process.argv.slice(2);
await using dockerd = given === undefined ? await startReferenceDockerd() : undefined;
const socket = given ?? dockerd?.socket ?? "";
const docker = stockDocker({ socket });
const dir = mkdtempSync(join(tmpdir(), "flags-"));
try {
  for (const [name, text] of Object.entries(caseFiles)) writeFileSync(join(dir, name), text);
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  const observed: Record<string, Observed> = {};
  for (const [index, one] of flagCases.entries()) observed[one.name] = await ask(docker, one, { name: `flag${index}`, dir, socket });
  const version = await docker.ok("version", "-f", "{{.Server.Version}}");
  writeFileSync(file, `${JSON.stringify({ version, observed }, null, 2)}\n`);
  console.log(`recorded ${flagCases.length} cases of ${version}`);
} finally {
  rmSync(dir, { recursive: true });
}
