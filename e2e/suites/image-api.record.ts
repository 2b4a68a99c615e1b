import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRegistry } from "../fixtures/registry.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";
import { ImageAsker, type ImageSaid } from "./image-api.ask.ts";
import { imageCases } from "./image-api.cases.ts";
import { pushed } from "./image-api.images.ts";
import { oddImages } from "./image-api.odd.ts";

// node e2e/suites/image-api.record.ts [SOCKET NETNS [FILE]]: puts every case to a real dockerd that has no images, and writes down what it said.
const [given, givenNetns, file = join(import.meta.dirname, "dockerd-28.5.images.json")] = process.argv.slice(2);
await using dockerd = given === undefined ? await startReferenceDockerd() : undefined;
const [socket, netns] = [given ?? dockerd?.socket ?? "", givenNetns ?? dockerd?.netns ?? ""];
const dir = mkdtempSync("/var/tmp/slipway-image-api-");
try {
  await using registry = await startRegistry({ dir, port: 5062, netns });
  await registry.push("team/pushed", "1", pushed);
  for (const [tag, manifest] of Object.entries(oddImages)) await registry.pushRaw("team/odd", tag, manifest);
  const asker = new ImageAsker(socket);
  const said: (ImageSaid & { readonly call: string })[] = [];
  for (const one of imageCases) said.push({ call: one.call, ...(await asker.ask(one)) });
  writeFileSync(file, `${JSON.stringify(said, null, 1)}\n`);
  console.log(`recorded ${said.length} cases`);
} finally {
  rmSync(dir, { recursive: true });
}
