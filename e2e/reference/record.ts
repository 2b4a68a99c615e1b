import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Answer, answerOf, prepare } from "./answers.ts";
import { cases } from "./cases.ts";
import { startReferenceDockerd } from "./dockerd.ts";
import { acts, empty, happenings } from "./happenings.ts";
import { prepareShapes, shapes } from "./shapes.ts";

// node e2e/reference/record.ts [SOCKET]: asks a real dockerd every case and writes its answers beside this file.
const given = process.argv[2];
await using dockerd = given === undefined ? await startReferenceDockerd() : undefined;
const socket = given ?? dockerd?.socket ?? "";
await prepare(socket, await dockerArchive([await busybox("busybox:latest")]));
const answers: Record<string, Answer> = {};
for (const one of cases) answers[one.name] = await answerOf(socket, one);
writeFileSync(join(import.meta.dirname, "dockerd-28.5.json"), `${JSON.stringify(answers, null, 2)}\n`);
await empty(socket);
const archive = await dockerArchive([await busybox("busybox:latest")]);
writeFileSync(join(import.meta.dirname, "events-28.5.json"), `${JSON.stringify(await happenings(socket, archive), null, 2)}\n`);
await prepareShapes(socket);
writeFileSync(join(import.meta.dirname, "shapes-28.5.json"), `${JSON.stringify(await shapes(socket), null, 2)}\n`);
console.log(`recorded ${cases.length} answers, and the events of ${acts.length} acts`);
