import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";
import { type Said, askApi } from "./container-api.ask.ts";
import { apiCases } from "./container-api.cases.ts";

// node e2e/suites/container-api.record.ts [SOCKET [FILE]]: puts every case to a real dockerd and writes down what it said.
const [given, file = join(import.meta.dirname, "dockerd-28.5.containers.json")] = process.argv.slice(2);
await using dockerd = given === undefined ? await startReferenceDockerd() : undefined;
const socket = given ?? dockerd?.socket ?? "";
const docker = stockDocker({ socket });
const dir = mkdtempSync(join(tmpdir(), "api-"));
try {
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  const said: Record<string, readonly Said[]> = {};
  for (const [index, one] of apiCases.entries()) said[one.name] = await askApi(socket, one, `api${index}`);
  const version = await docker.ok("version", "-f", "{{.Server.Version}}");
  writeFileSync(file, `${JSON.stringify({ version, said }, null, 2)}\n`);
  console.log(`recorded ${apiCases.length} cases of ${version}`);
} finally {
  rmSync(dir, { recursive: true });
}
