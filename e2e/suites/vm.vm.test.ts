import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { machinePaths } from "#machine/names.ts";
import { stockDocker } from "../fixtures/docker.ts";
import { asOrdinaryUser } from "../fixtures/ordinary-user.ts";
import { type Program, startMachine } from "../fixtures/program.ts";
import { apparmorSuite } from "./apparmor.suite.ts";
import { buildsSuite } from "./builds.suite.ts";
import { cliSuite } from "./cli.suite.ts";
import { composeSuite } from "./compose.suite.ts";
import { devcontainersSuite } from "./devcontainers.suite.ts";
import { foreignSuite } from "./foreign.suite.ts";
import { limitsComparedSuite } from "./limits-compared.suite.ts";
import { limitsSuite } from "./limits.suite.ts";
import { fileServersSuite } from "./file-servers.suite.ts";
import { ownersSuite } from "./owners.suite.ts";
import { parentsSuite } from "./parents.suite.ts";
import { portsSuite } from "./ports.suite.ts";
import { sharesSuite } from "./shares.suite.ts";
import { testcontainersSuite } from "./testcontainers.suite.ts";

let machine: Program;
let root: string;
let folder: string;

beforeAll(async () => {
  [root, folder] = [mkdtempSync("/var/tmp/slipway-machine-"), mkdtempSync("/var/tmp/slipway-shared-")];
  // As many as when the answers to compare with were recorded.
  machine = await startMachine({ root, under: asOrdinaryUser(root, folder), args: ["--cpus", "2", "--share", folder] });
});
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  for (const path of [root, folder]) rmSync(path, { recursive: true, force: true });
});

test("layers are EROFS images in the VM, mounted without loop devices", async () => {
  expect(await stockDocker(machine).ok("info", "--format", "{{json .DriverStatus}}")).toContain('["layers","erofs file"]');
});
cliSuite("the stock docker CLI through the VM's socket", () => ({ socket: machine.socket, sharesLoopback: false }));
apparmorSuite("AppArmor in the VM", () => ({ socket: machine.socket }));
foreignSuite("another architecture in the VM", () => ({ socket: machine.socket }));
buildsSuite("builds in the VM", () => ({ socket: machine.socket }));
limitsSuite("limits in the VM", () => ({ socket: machine.socket }));
limitsComparedSuite("limits and figures, compared with dockerd on the same kernel", () => ({ socket: machine.socket }));
testcontainersSuite("Testcontainers through the VM", () => ({ socket: machine.socket, sharesLoopback: false }));
devcontainersSuite("the Dev Containers CLI through the VM", () => ({ socket: machine.socket, sharesLoopback: false, folder }));
composeSuite("Compose through the VM", () => ({ socket: machine.socket, sharesLoopback: false, folder }));
portsSuite("ports of this computer that lead into the VM", () => ({
  socket: machine.socket,
  pids: () => [machine.pid, Number(readFileSync(machinePaths(machine.root).pid, "utf8"))],
}));
parentsSuite("networks on interfaces of the VM", () => ({ socket: machine.socket }));
fileServersSuite("volumes of file servers in the VM", () => ({ socket: machine.socket }));
// In an emulated machine each file takes its time.
const files = process.env.SLIPWAY_TEST_LONG === "1" ? 20_000 : 500;
const shares = () => ({ socket: machine.socket, sharesLoopback: false, folder });
sharesSuite("folders of this computer in containers of the VM", shares, files);
ownersSuite("owners in folders of this computer, whose machine an ordinary user runs", shares);
