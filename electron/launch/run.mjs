// `npm run machine`, `web` and `bench`: what each needs on this computer first, then the program under this repository's Node 24.
// The progress goes to standard error: standard output is the program's.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { join } from "node:path";
import { ensureClients } from "../../e2e/fixtures/clients.mjs";
import { become } from "./become.mjs";
import { imagePackages } from "./image.mjs";
import { SetupError, browserPackages, node, prepareImage, prepareMachine, prepareWindow, repository } from "./setup.mjs";

const say = (line) => console.error(line);
const programs = {
  machine: { file: "runtime-vm/machine/main.ts", prepare: () => prepareMachine(undefined, say) },
  web: { file: "electron/web/main.ts", prepare: () => prepareWindow(undefined, say) },
  bench: { file: "e2e/bench/main.ts", prepare: prepareBench },
};

async function prepareBench() {
  const browser = process.argv.includes("--window") ? browserPackages() : [];
  await prepareImage([...imagePackages, "busybox-static", "docker-registry", "iproute2", ...browser], say);
  ensureClients();
}

try {
  const [name, ...args] = process.argv.slice(2);
  const { file, prepare } = programs[name];
  await prepare();
  become(node, ["--disable-warning=ExperimentalWarning", join(repository, file), ...args]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
