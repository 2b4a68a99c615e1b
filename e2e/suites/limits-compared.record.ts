import { writeFileSync } from "node:fs";
import { startReferenceInVm } from "../reference/in-vm.ts";
import { askAll, recordedPath } from "./limits-compared.ask.ts";

// node e2e/suites/limits-compared.record.ts: asks a real dockerd in our VM for every limit and every figure, and writes its answers down.
await using pair = await startReferenceInVm();
const answers = await askAll(pair.dockerd, pair.onMachine);
writeFileSync(recordedPath, `${JSON.stringify(answers, null, 2)}\n`);
console.log(`recorded ${Object.keys(answers.limits).length} limits and ${Object.keys(answers.stats).length} readings of dockerd ${answers.version}`);
